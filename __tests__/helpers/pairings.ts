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

const usualKinds: readonly [AppKind, ProxyKind][] = [...usual, [5, 'forward'], ['none', 'forward']];

const allKinds: readonly [AppKind, ProxyKind][] = [...usualKinds, [5, 3], [4, 4], [4, 'forward']];

/** The same, with the forwarder of this package among the proxies. */
export const stacks: readonly Stack[] = (process.env.MATRIX === 'full' ? allKinds : usualKinds).map(
  stackOf,
);

/** Those of `MATRIX=full`. */
export const allStacks: readonly Stack[] = allKinds.map(stackOf);

function stackOf([app, proxy]: [AppKind, ProxyKind]): Stack {
  const through = proxy === 'forward' ? 'sessionForwarder' : `http-proxy-middleware ${proxy}`;
  return { app, proxy, name: `${app === 'none' ? 'node:http' : `Express ${app}`}, ${through}` };
}
