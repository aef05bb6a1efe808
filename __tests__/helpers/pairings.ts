import type { AppKind, ExpressMajor, ProxyKind, ProxyMajor } from './gateway.ts';

const usual: [ExpressMajor, ProxyMajor][] = [
  [5, 4],
  [4, 3],
];

/** The versions of Express and http-proxy-middleware that a test runs on; all of them with `MATRIX=full`. */
export const pairings: readonly [ExpressMajor, ProxyMajor][] =
  process.env.MATRIX === 'full' ? [...usual, [5, 3], [4, 4]] : usual;

export interface Stack {
  /** For the title of a test. */
  readonly name: string;
  readonly app: AppKind;
  readonly proxy: ProxyKind;
}

const kinds: readonly [AppKind, ProxyKind][] = [
  ...pairings,
  [5, 'forward'],
  ...(process.env.MATRIX === 'full' ? ([[4, 'forward']] as [AppKind, ProxyKind][]) : []),
  ['none', 'forward'],
];

/** The same, with the forwarder of this package among the proxies. */
export const stacks: readonly Stack[] = kinds.map(([app, proxy]) => {
  const through = proxy === 'forward' ? 'sessionForwarder' : `http-proxy-middleware ${proxy}`;
  return { app, proxy, name: `${app === 'none' ? 'node:http' : `Express ${app}`}, ${through}` };
});
