import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Cluster } from 'ioredis';
import { recommendedRedisOptions, RedisStore } from '../../../src/index.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import { proxyOf } from '../../helpers/redis-proxy.ts';
import type { RedisServer } from '../../helpers/redis-server.ts';
import { ownRedis, startSmallestCluster } from '../../helpers/redis-topology.ts';
import {
  connect,
  directoryOn,
  eventually,
  gatewayOn,
  newSession,
  ready,
  type Gateway,
  type TestSession,
} from './redis-fixture.ts';

const ENDED = { kind: 'ended' };

interface Pair {
  readonly redis: RedisServer;
  readonly one: Gateway;
  readonly other: Gateway;
  /** Opened on `one`, in the cache of both. */
  readonly session: TestSession;
}

/** Two gateways on one Redis; the second may reach it by another address. */
async function pair(through = async (redis: RedisServer) => redis.url): Promise<Pair> {
  const redis = await ownRedis();
  const prefix = `${randomUUID()}:`;
  const one = await gatewayOn(redis.url, { prefix });
  const other = await gatewayOn(await through(redis), { prefix });
  await Promise.all([ready(one.client), ready(other.client)]);
  await subscribed(one.admin, `${prefix}ended`, 2);
  const session = newSession();
  await one.directory.create(session.key, session.record);
  expect(await other.directory.lookup(session.key)).toMatchObject({ kind: 'live' });
  return { redis, one, other, session };
}

async function subscribed(
  client: Gateway['client'],
  channel: string,
  count: number,
): Promise<void> {
  await eventually(async () => {
    expect(await client.pubsub('NUMSUB', channel)).toEqual([channel, count]);
  });
}

/** Asks until the gateway answers something else than "live", as its clients would. */
async function answer(gateway: Gateway, key: string, ms: number): Promise<unknown> {
  const deadline = performance.now() + ms;
  for (;;) {
    const lookup = await gateway.directory.lookup(key);
    if (lookup.kind !== 'live' || performance.now() > deadline) return lookup;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a session that one gateway has ended', () => {
  test('is ended on the other, which has it in its cache, within a second', async () => {
    const { one, other, session } = await pair();
    await one.directory.endNow(session.key, 'called');
    expect(await answer(other, session.key, 1000)).toEqual(ENDED);
    expect(other.ended).toEqual([session.key]);
    expect(one.ended).toEqual([session.key]);
  });

  test('is told to the other although nobody asks it: its streams are closed', async () => {
    const { one, other, session } = await pair();
    await one.directory.endNow(session.key, 'called');
    await eventually(() => expect(other.ended).toEqual([session.key]));
  });

  test('is ended on the other within a second after its subscription was killed', async () => {
    const { redis, one, other, session } = await pair();
    expect(
      await connect(redis.url, { enableOfflineQueue: true }).call(
        'CLIENT',
        'KILL',
        'TYPE',
        'pubsub',
      ),
    ).toBe(2);
    await one.directory.endNow(session.key, 'called');
    expect(await answer(other, session.key, 1000)).toEqual(ENDED);
  });

  test('is heard of again after subscriptions were killed', async () => {
    const { redis, one, other, session } = await pair();
    await connect(redis.url, { enableOfflineQueue: true }).call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(async () => {
      const [, count] = await one.admin.pubsub(
        'NUMSUB',
        (await one.admin.pubsub('CHANNELS'))[0] as string,
      );
      expect(count).toBe(2);
    });
    await one.directory.endNow(session.key, 'called');
    await eventually(() => expect(other.ended).toEqual([session.key]));
  });

  test('is ended on a gateway whose connections were cut off silently', async () => {
    let cut = (): void => {};
    const { one, other, session } = await pair(async (redis) => {
      const proxy = await proxyOf(redis);
      cut = () => proxy.cutSilently();
      return proxy.url;
    });
    cut();
    await one.directory.endNow(session.key, 'called');
    // The renewal of the subscription has to fail first, and the connection to be made again.
    expect(await answer(other, session.key, 10_000)).toEqual(ENDED);
  });
});

test('a subscription that is not confirmed is tried again, and no rejection is left unhandled', async () => {
  const redis = await ownRedis();
  const proxy = await proxyOf(redis);
  const prefix = `${randomUUID()}:`;
  const one = await gatewayOn(redis.url, { prefix });
  const other = await gatewayOn(proxy.url, { prefix });
  await Promise.all([ready(one.client), ready(other.client)]);
  await subscribed(one.admin, `${prefix}ended`, 2);
  proxy.rewrite = (replies) => replies.filter((reply) => !reply.includes('subscribe'));
  await one.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  // Long enough for some that time out.
  proxy.sent.length = 0;
  await eventually(() =>
    expect(proxy.sent.filter(([first]) => first === 'SUBSCRIBE').length).toBeGreaterThan(2),
  );
  proxy.rewrite = (replies) => replies;
  const session = newSession();
  await one.directory.create(session.key, session.record);
  await eventually(async () => {
    await one.admin.publish(`${prefix}ended`, session.key);
    expect(other.ended).toEqual([session.key]);
  });
});

test('a gateway on a Cluster hears of endings, but relies on them for a second only', async () => {
  const redis = await startSmallestCluster();
  onCleanup(() => redis.stop());
  const stores = [1, 2].map(() => {
    const client = new Cluster([{ host: redis.host, port: redis.port }], {
      redisOptions: recommendedRedisOptions,
    });
    onCleanup(() => client.disconnect());
    return new RedisStore({ client });
  });
  const [one, other] = stores.map((store) => directoryOn(store));
  await subscribed(connect(redis.url), 'mcp-session:ended', 2);
  const { key, record } = newSession();
  await one?.directory.create(key, record);
  expect(await other?.directory.lookup(key)).toMatchObject({ kind: 'live' });
  await one?.directory.endNow(key, 'called');
  await eventually(() => expect(other?.ended).toEqual([key]));
});

test('closing a gateway ends its subscription and leaves its client alone', async () => {
  const { redis, one, other } = await pair();
  await other.directory.close();
  const watcher = connect(redis.url, { enableOfflineQueue: true });
  await eventually(async () => {
    const list = String(await watcher.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
    expect(list.trim().split('\n')).toHaveLength(1);
  });
  expect(other.client.status).toBe('ready');
  expect(one.client.status).toBe('ready');
});
