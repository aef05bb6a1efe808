import type { ExpressMajor, ProxyKind } from './gateway.ts';

export type SdkMajor = 1 | 2;

export type StoreKind =
  | 'MemoryStore'
  | 'ioredis 5'
  | 'ioredis 6'
  | 'connect-redis 8 with ioredis 5'
  | 'connect-redis 8 with ioredis 6'
  | 'connect-redis 10 with node-redis';

/** One version of everything that this package meets. */
export interface Corner {
  readonly express: ExpressMajor;
  readonly proxy: ProxyKind;
  readonly store: StoreKind;
  /** Of the backends. */
  readonly server: SdkMajor;
  readonly client: SdkMajor;
}

export const EXPRESSES: readonly ExpressMajor[] = [4, 5];
export const PROXIES: readonly ProxyKind[] = [3, 4, 'forward'];
export const STORES: readonly StoreKind[] = [
  'MemoryStore',
  'ioredis 5',
  'ioredis 6',
  'connect-redis 8 with ioredis 5',
  'connect-redis 8 with ioredis 6',
  'connect-redis 10 with node-redis',
];
export const SDKS: readonly SdkMajor[] = [1, 2];

export const allCorners: readonly Corner[] = EXPRESSES.flatMap((express) =>
  PROXIES.flatMap((proxy) =>
    STORES.flatMap((store) =>
      SDKS.flatMap((server) => SDKS.map((client) => ({ express, proxy, store, server, client }))),
    ),
  ),
);

/** So few of them that any two versions still meet in one. */
export const pairwiseCorners: readonly Corner[] = coverPairs(allCorners);

/** Those that a run goes through: all of them with `MATRIX=full`. */
export const corners: readonly Corner[] =
  process.env.MATRIX === 'full' ? allCorners : pairwiseCorners;

export function gatewayName({ express, proxy }: Pick<Corner, 'express' | 'proxy'>): string {
  const through = proxy === 'forward' ? 'sessionForwarder' : `http-proxy-middleware ${proxy}`;
  return `Express ${express}, ${through}`;
}

export function sdkName({ server, client }: Pick<Corner, 'server' | 'client'>): string {
  return `servers of SDK ${server}, clients of SDK ${client}`;
}

/** The title of its tests, by which their results are found. */
export function cornerName(corner: Corner): string {
  return `${gatewayName(corner)}, ${corner.store}, ${sdkName(corner)}`;
}

/** Every two versions that meet in a corner. */
export function pairsOf(corner: Corner): string[] {
  const values = Object.entries(corner).map(([what, version]) => `${what} ${version}`);
  return values.flatMap((one, at) => values.slice(at + 1).map((other) => `${one}, ${other}`));
}

/** Takes the corner with the most new pairs, again and again. */
function coverPairs(all: readonly Corner[]): Corner[] {
  const missing = new Set(all.flatMap(pairsOf));
  const news = (corner: Corner): number =>
    pairsOf(corner).filter((pair) => missing.has(pair)).length;
  const chosen: Corner[] = [];
  while (missing.size > 0) {
    const best = all.reduce((one, other) => (news(other) > news(one) ? other : one));
    chosen.push(best);
    for (const pair of pairsOf(best)) missing.delete(pair);
  }
  return chosen;
}
