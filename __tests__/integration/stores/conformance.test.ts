import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RedisStore as ConnectRedis8 } from 'connect-redis';
import { RedisStore as ConnectRedis10 } from 'connect-redis10';
import { Cluster, Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { createClient } from 'redis';
import { recommendedRedisOptions, RedisStore } from '../../../src/index.ts';
import { storeChecks, type MakeStore } from '../../../src/store-conformance.ts';
import { ACL_PASSWORD, ACL_USER } from '../../helpers/redis-acl.ts';
import { startRedis, type RedisServer } from '../../helpers/redis-server.ts';
import { startReplica, startSmallestCluster } from '../../helpers/redis-topology.ts';

const prefix = `conformance-${randomUUID()}:`;
const closing: (() => unknown)[] = [];
let redis: RedisServer;
let replica: RedisServer;
let clustered: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
  replica = await startReplica(redis);
  clustered = await startSmallestCluster();
});

afterAll(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await Promise.all([redis, replica, clustered].map((server) => server.stop()));
});

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Two clients, for two gateways. */
function two<T>(make: () => T): () => T {
  const all: T[] = [];
  let turn = 0;
  return () => {
    turn += 1;
    return (all[turn % 2] ??= make());
  };
}

/** The Redis user that is enough. */
const MINIMAL = { username: ACL_USER, password: ACL_PASSWORD };

function ioredis(options: object = {}): Redis {
  const client = new Redis(redis.url, { enableOfflineQueue: true, ...options });
  client.on('error', () => {});
  closing.push(() => client.disconnect());
  return client;
}

function ioredis5(options: object = {}): Redis5 {
  const client = new Redis5(redis.url, { enableOfflineQueue: true, ...options });
  client.on('error', () => {});
  closing.push(() => client.disconnect());
  return client;
}

const redisStores = two(() => new RedisStore({ client: ioredis(MINIMAL), prefix }));
const replicated = two(() => {
  const store = new RedisStore({ client: ioredis(MINIMAL), prefix, minReplicas: 1 });
  closing.push(() => store.close());
  return store;
});
const prefixed = two(
  () => new RedisStore({ client: ioredis({ keyPrefix: 'app:', stringNumbers: true }), prefix }),
);
const resp2 = two(() => new RedisStore({ client: ioredis({ protocol: 2 }), prefix }));
const lazy = two(() => new RedisStore({ client: ioredis({ lazyConnect: true }), prefix }));
const clusters = two(() => {
  const client = new Cluster([{ host: clustered.host, port: clustered.port }], {
    redisOptions: recommendedRedisOptions,
  });
  closing.push(() => client.disconnect());
  return new RedisStore({ client, prefix });
});
const bare = two(() => ioredis());
const ofIoredis5 = two(() => new RedisStore({ client: ioredis5(MINIMAL), prefix }));
const connectRedis8 = two(() => new ConnectRedis8({ client: ioredis() }));
const connectRedis8OfIoredis5 = two(() => new ConnectRedis8({ client: ioredis5() }));
const nodeRedis = once(async () => {
  const client = createClient({ url: redis.url });
  client.on('error', () => {});
  await client.connect();
  closing.push(() => client.destroy());
  return client;
});

describe.each<[string, 'basic' | 'atomic', MakeStore]>([
  ['RedisStore', 'atomic', redisStores],
  ['RedisStore that waits for a replica', 'atomic', replicated],
  ['RedisStore with a key prefix and numbers as strings', 'atomic', prefixed],
  ['RedisStore over RESP2', 'atomic', resp2],
  ['RedisStore with a lazy client', 'atomic', lazy],
  ['a bare ioredis client', 'atomic', bare],
  ['RedisStore with ioredis 5', 'atomic', ofIoredis5],
  ['connect-redis 8.1 with ioredis', 'basic', connectRedis8],
  ['connect-redis 8.1 with ioredis 5', 'basic', connectRedis8OfIoredis5],
  [
    'connect-redis 10 with node-redis',
    'basic',
    async () => new ConnectRedis10({ client: await nodeRedis() }),
  ],
])('%s', (_name, level, makeStore) => {
  test.each(storeChecks(level))('$name', async ({ run }) => {
    await expect(run(makeStore)).resolves.toBeUndefined();
  });
});

describe('RedisStore on a Cluster', () => {
  // Endings are heard, but not relied on, so there is no `resumed` to wait for: see redis-endings.test.ts.
  const checks = storeChecks('atomic').filter(({ name }) => !name.startsWith('tells an instance'));

  test.each(checks)('$name', async ({ run }) => {
    await expect(run(clusters)).resolves.toBeUndefined();
  });
});
