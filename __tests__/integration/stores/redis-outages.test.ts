import { describe, expect, test } from '@jest/globals';
import { onCleanup } from '../../helpers/cleanup.ts';
import { proxyOf } from '../../helpers/redis-proxy.ts';
import { startRedis, type RedisServer } from '../../helpers/redis-server.ts';
import { ownRedis } from '../../helpers/redis-topology.ts';
import {
  connect,
  eventually,
  gatewayOn,
  newSession,
  ready,
  timed,
  type Gateway,
  type TestSession,
} from './redis-fixture.ts';

const UNAVAILABLE = { kind: 'unavailable' };
/** storeTimeout is 1000 ms. */
const SOON = 1500;
const HEALED = 5000;

interface Scene {
  readonly redis: RedisServer;
  readonly session: TestSession;
  /** Has the session in its cache. */
  readonly warm: Gateway;
  /** Has seen nothing. */
  readonly cold: Gateway;
}

async function scene(): Promise<Scene> {
  const redis = await ownRedis();
  const [warm, cold] = await Promise.all([
    gatewayOn(redis.url, { prefix: '' }),
    gatewayOn(redis.url, { prefix: '' }),
  ]);
  await Promise.all([ready(warm.client), ready(cold.client)]);
  const session = newSession();
  await warm.directory.create(session.key, session.record);
  return { redis, session, warm, cold };
}

/** What a gateway does while its Redis cannot be used. */
async function expectOutage({ session, warm, cold }: Scene): Promise<void> {
  const live = { kind: 'live', record: session.record };
  const [found, lookupTook] = await timed(() => cold.directory.lookup(session.key));
  expect(found).toEqual(UNAVAILABLE);
  expect(lookupTook).toBeLessThan(SOON);
  const fresh = newSession();
  const [, createTook] = await timed(() =>
    expect(cold.directory.create(fresh.key, fresh.record)).rejects.toMatchObject({
      code: 'store_unavailable',
    }),
  );
  expect(createTook).toBeLessThan(SOON);
  expect(await warm.directory.lookup(session.key)).toEqual(live);
}

async function expectHealed(gateway: Gateway, session: TestSession, kind: string): Promise<void> {
  const found = async (): Promise<void> =>
    expect(await gateway.directory.lookup(session.key)).toMatchObject({ kind });
  await eventually(found, HEALED);
  const fresh = newSession();
  expect(await gateway.directory.create(fresh.key, fresh.record)).toBe('created');
}

describe('while Redis', () => {
  test('is dead, sessions are unavailable or served from the cache; after it came back empty they are unknown', async () => {
    const given = await scene();
    await given.redis.kill();
    await expectOutage(given);
    await given.redis.restart();
    await expectHealed(given.cold, given.session, 'unknown');
  });

  test('is frozen, sessions are unavailable or served from the cache, and found again afterwards', async () => {
    const given = await scene();
    given.redis.freeze();
    await expectOutage(given);
    given.redis.thaw();
    await expectHealed(given.cold, given.session, 'live');
  });

  test('is frozen, a request in the middle of it says nothing but "live" or "unavailable"', async () => {
    const { redis, session } = await scene();
    const cold = await gatewayOn(redis.url, { prefix: '', cache: false });
    await ready(cold.client);
    const seen = new Set<string>();
    const asking = (async () => {
      for (let request = 0; request < 60; request += 1) {
        seen.add((await cold.directory.lookup(session.key)).kind);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    redis.freeze();
    await eventually(() => expect(cold.failures.length).toBeGreaterThan(0));
    redis.thaw();
    await asking;
    expect([...seen].filter((kind) => kind !== 'live' && kind !== 'unavailable')).toEqual([]);
    await expectHealed(cold, session, 'live');
  });

  test('was not there when the gateway was made, sessions are unavailable until it is', async () => {
    const first = await startRedis();
    await first.stop();
    const gateway = await gatewayOn(first.url, { prefix: '' });
    const session = newSession();
    expect(await gateway.directory.lookup(session.key)).toEqual(UNAVAILABLE);
    await expect(gateway.directory.ready()).rejects.toMatchObject({ code: 'store_unavailable' });
    const redis = await startRedis({ port: first.port });
    onCleanup(() => redis.stop());
    await expectHealed(gateway, session, 'unknown');
    await expect(gateway.directory.ready()).resolves.toBeUndefined();
  });

  test('is read-only, sessions are found, but none is stored', async () => {
    const { redis, session, warm } = await scene();
    await warm.admin.replicaof('127.0.0.1', 1);
    const cold = await gatewayOn(redis.url, { prefix: '' });
    await ready(cold.client);
    expect(await cold.directory.lookup(session.key)).toMatchObject({ kind: 'live' });
    const fresh = newSession();
    await expect(cold.directory.create(fresh.key, fresh.record)).rejects.toMatchObject({
      code: 'store_unavailable',
      cause: { message: expect.stringContaining('READONLY') },
    });
    // The client connects anew, in case it speaks to a master that was; then it reads again.
    await eventually(async () => {
      const another = newSession();
      expect(await cold.directory.lookup(another.key)).toEqual({ kind: 'unknown' });
    }, HEALED);
    await connect(redis.url, { enableOfflineQueue: true }).replicaof('NO', 'ONE');
    await eventually(
      async () => expect(await cold.directory.create(fresh.key, fresh.record)).toBe('created'),
      HEALED,
    );
  });

  test.each([60, 150])('answers %i ms late, all goes on', async (delay) => {
    const proxy = await proxyOf(await ownRedis());
    proxy.delay = delay;
    const gateway = await gatewayOn(proxy.url, { cache: false });
    const session = newSession();
    await eventually(async () =>
      expect(await gateway.directory.create(session.key, session.record)).toBe('created'),
    );
    for (let request = 0; request < 5; request += 1) {
      expect(await gateway.directory.lookup(session.key)).toMatchObject({ kind: 'live' });
    }
    expect(await gateway.directory.endNow(session.key, 'called')).toBe(true);
  });
});

test('replies that answer other commands send no session to the backend of another one', async () => {
  const proxy = await proxyOf(await ownRedis());
  const gateway = await gatewayOn(proxy.url, { cache: false });
  await ready(gateway.client);
  const sessions = Array.from({ length: 8 }, (_, n) => newSession(`http://backend-${n}`));
  for (const { key, record } of sessions) await gateway.directory.create(key, record);

  const outOfStep: ((replies: readonly Buffer[]) => readonly Buffer[])[] = [
    (replies) => replies.toReversed(),
    (replies) => [...replies.slice(1), ...replies.slice(0, 1)],
    (replies) => [...replies.slice(2), ...replies.slice(0, 2)],
    (replies) => [...replies.slice(0, 1), ...replies],
    (replies) => [...replies.slice(0, 2), ...replies],
  ];
  const seen = new Set<string>();
  for (const rewrite of outOfStep) {
    proxy.rewrite = rewrite;
    const found = await Promise.all(sessions.map(async ({ key }) => gateway.directory.lookup(key)));
    for (const { kind } of found) seen.add(kind);
    const misrouted = found.filter(
      (lookup, n) => lookup.kind === 'live' && lookup.record.nonce !== sessions[n]?.record.nonce,
    );
    expect(misrouted).toEqual([]);
    proxy.rewrite = (replies) => replies;
    gateway.client.disconnect(true);
    await eventually(async () =>
      expect(await gateway.directory.lookup(sessions[0]?.key ?? '')).toMatchObject({
        kind: 'live',
      }),
    );
  }
  expect(seen.size).toBeGreaterThan(1);
  expect(seen).not.toContain('unknown');
});
