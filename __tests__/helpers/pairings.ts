import type { ExpressMajor, ProxyMajor } from './gateway.ts';

const usual: [ExpressMajor, ProxyMajor][] = [
  [5, 4],
  [4, 3],
];

/** The versions of Express and http-proxy-middleware that a test runs on; all of them with `MATRIX=full`. */
export const pairings: readonly [ExpressMajor, ProxyMajor][] =
  process.env.MATRIX === 'full' ? [...usual, [5, 3], [4, 4]] : usual;
