/** The settings of gateway.ts that say where sessions are kept, and the client they stand for. */
import { Cluster, Redis } from 'ioredis';
// In your project: from 'mcp-session-routing'.
import { recommendedRedisOptions } from '../src/index.ts';

export interface Address {
  host: string;
  port: number;
}

export type RedisSettings =
  | { kind: 'server'; url: string }
  | { kind: 'sentinels'; sentinels: Address[]; name: string; password?: string }
  | { kind: 'cluster'; nodes: Address[]; password?: string };

/** Left out: sessions are kept in memory. */
export function readRedis(env: NodeJS.ProcessEnv): RedisSettings | undefined {
  const { REDIS_URL, REDIS_SENTINELS, REDIS_CLUSTER, REDIS_MASTER_NAME, REDIS_PASSWORD } = env;
  const given = Object.entries({ REDIS_URL, REDIS_SENTINELS, REDIS_CLUSTER }).filter(
    ([, value]) => value,
  );
  if (given.length > 1) {
    const names = given.map(([name]) => name).join(' and ');
    throw new Error(`${names} exclude each other: give the one that leads to your Redis`);
  }
  if (REDIS_MASTER_NAME && !REDIS_SENTINELS) {
    throw new Error('REDIS_MASTER_NAME needs Sentinels that know it: give REDIS_SENTINELS too');
  }
  if (REDIS_PASSWORD && !REDIS_SENTINELS && !REDIS_CLUSTER) {
    throw new Error(
      'REDIS_PASSWORD is for REDIS_SENTINELS and REDIS_CLUSTER: give it in REDIS_URL, as in redis://:password@localhost:6379',
    );
  }
  const password = REDIS_PASSWORD ? { password: REDIS_PASSWORD } : {};
  if (REDIS_URL) return { kind: 'server', url: readUrl(REDIS_URL) };
  if (REDIS_SENTINELS) {
    const sentinels = readAddresses('REDIS_SENTINELS', REDIS_SENTINELS, 26_379);
    return { kind: 'sentinels', sentinels, name: REDIS_MASTER_NAME || 'mymaster', ...password };
  }
  if (REDIS_CLUSTER) {
    const nodes = readAddresses('REDIS_CLUSTER', REDIS_CLUSTER, 6379);
    return { kind: 'cluster', nodes, ...password };
  }
  return undefined;
}

/** The value is not repeated: it may hold a password. */
function readUrl(value: string): string {
  if (URL.canParse(value) && /^rediss?:$/.test(new URL(value).protocol)) return value;
  throw new Error('REDIS_URL is not a Redis URL: give one such as redis://localhost:6379');
}

function readAddresses(name: string, value: string, usualPort: number): Address[] {
  const addresses = value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)
    .map((item) => readAddress(name, item, usualPort));
  if (addresses.length > 0) return addresses;
  throw new Error(`${name} names no server: give redis-0:${usualPort},redis-1:${usualPort}`);
}

/** `host:port`, `[address]:port` of IPv6. The value is not repeated if it looks as if it held a password. */
function readAddress(name: string, value: string, usualPort: number): Address {
  const [, host, port] = /^(\[[\da-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(value) ?? [];
  if (host && Number(port) > 0 && Number(port) <= 65_535) {
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  }
  if (/[@/]/.test(value)) {
    throw new Error(
      `${name} takes no URLs: give host:port, the password as REDIS_PASSWORD; TLS there is with REDIS_URL only`,
    );
  }
  throw new Error(`${name}: ${value} is no address: give one such as redis-0:${usualPort}`);
}

/** Without these options ioredis lets a request wait for minutes when Redis is down. */
export function connectRedis(settings: RedisSettings): Redis | Cluster {
  switch (settings.kind) {
    case 'server':
      return new Redis(settings.url, { ...recommendedRedisOptions });
    case 'sentinels': {
      const { kind: _, ...sentinels } = settings;
      return new Redis({ ...recommendedRedisOptions, ...sentinels });
    }
    case 'cluster': {
      const { nodes, password } = settings;
      return new Cluster(nodes, {
        redisOptions: { ...recommendedRedisOptions, ...(password && { password }) },
        enableOfflineQueue: false,
        clusterRetryStrategy: recommendedRedisOptions.retryStrategy,
        maxRedirections: 5,
        slotsRefreshInterval: 5000,
      });
    }
  }
}
