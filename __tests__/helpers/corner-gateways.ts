import { RedisStore as ConnectRedis8 } from 'connect-redis';
import { RedisStore as ConnectRedis10 } from 'connect-redis10';
import { Redis as Redis6 } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { createClient } from 'redis';
import { MemoryStore, recommendedRedisOptions, type StoreLike } from '../../src/index.ts';
import { onCleanup } from './cleanup.ts';
import type { Corner, StoreKind } from './corners.ts';
import { gateway } from './gateway.ts';
import { sharedRedisUrl } from './redis-server.ts';

/** What is tested is not how soon a busy machine answers (ms). */
const PATIENCE = 60_000;
const REDIS_OPTIONS = {
  ...recommendedRedisOptions,
  ...{ commandTimeout: PATIENCE, connectTimeout: PATIENCE, socketTimeout: PATIENCE },
};

/** Two gateways with one store: where the store is in Redis, each has clients of its own. */
export async function twoGateways(
  corner: Pick<Corner, 'express' | 'proxy' | 'store'>,
  backends: readonly string[],
): Promise<[string, string]> {
  const { express, proxy, store: kind } = corner;
  const makeStore = kind === 'MemoryStore' ? inOneMemory() : STORES[kind];

  async function start(): Promise<string> {
    const store = await makeStore();
    const options = { backends, storeTimeout: PATIENCE };
    const { url, sessions } = await gateway({ express, proxy, store, options });
    await sessions.ready();
    return `${url}/mcp`;
  }
  return Promise.all([start(), start()]);
}

const STORES: Record<Exclude<StoreKind, 'MemoryStore'>, () => Promise<StoreLike>> = {
  'ioredis 5': ioredis5,
  'ioredis 6': ioredis6,
  'connect-redis 8 with ioredis 5': async () => new ConnectRedis8({ client: await ioredis5() }),
  'connect-redis 8 with ioredis 6': async () => new ConnectRedis8({ client: await ioredis6() }),
  'connect-redis 10 with node-redis': async () => new ConnectRedis10({ client: await nodeRedis() }),
};

function inOneMemory(): () => Promise<StoreLike> {
  const store = new MemoryStore();
  return () => Promise.resolve(store);
}

async function ioredis5(): Promise<Redis5> {
  const client = new Redis5(await sharedRedisUrl(), REDIS_OPTIONS);
  onCleanup(() => client.disconnect());
  return client;
}

async function ioredis6(): Promise<Redis6> {
  const client = new Redis6(await sharedRedisUrl(), REDIS_OPTIONS);
  onCleanup(() => client.disconnect());
  return client;
}

async function nodeRedis(): Promise<ReturnType<typeof createClient>> {
  const client = createClient({ url: await sharedRedisUrl() });
  // Without a listener an error ends the process.
  client.on('error', () => {});
  await client.connect();
  onCleanup(() => client.destroy());
  return client as ReturnType<typeof createClient>;
}
