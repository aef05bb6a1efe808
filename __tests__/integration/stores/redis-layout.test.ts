import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { RedisStore } from '../../../src/index.ts';
import { ownRedis } from '../../helpers/redis-topology.ts';
import { directoryOn, ENDED_TTL, gatewayOn, newSession, ready, TTL } from './redis-fixture.ts';

/** Everything that a Redis holds, and everything that it was told to publish. */
async function dump(admin: Redis): Promise<string> {
  const keys = await admin.keys('*');
  const values = await Promise.all(keys.map((key) => admin.get(key)));
  return JSON.stringify([keys, values]);
}

test('a dump of Redis shows backends and paths, but no session id', async () => {
  const redis = await ownRedis();
  const { client, admin, directory } = await gatewayOn(redis.url);
  await ready(client);
  const [live, over] = [newSession(), newSession()];
  await directory.create(live.key, live.record);
  await directory.create(over.key, over.record);
  await directory.endNow(over.key, 'called');
  const everything = await dump(admin);
  expect(everything).toContain(live.key);
  expect(everything).toContain('http://backend-1:8080');
  expect(everything).not.toContain(live.id);
  expect(everything).not.toContain(over.id);
});

test('a session is one key: the prefix and the SHA-256 of its id', async () => {
  const redis = await ownRedis();
  const { client, admin, directory } = await gatewayOn(redis.url, { prefix: 'mcp-session:' });
  await ready(client);
  const { key, record } = newSession();
  await directory.create(key, record);
  expect(await admin.keys('*')).toEqual([`mcp-session:${key}`]);
  expect(JSON.parse((await admin.get(`mcp-session:${key}`)) ?? '')).toEqual({
    format: 1,
    session: key,
    version: 1,
    nonce: record.nonce,
    backend_url: 'http://backend-1:8080',
    opened_on: '/mcp',
  });
});

test('the prefix is the default one if none is given', async () => {
  const redis = await ownRedis();
  const { client, admin } = await gatewayOn(redis.url);
  await ready(client);
  const { key, record } = newSession();
  await new RedisStore({ client }).set(key, record, TTL);
  expect(await admin.keys('*')).toEqual([`mcp-session:${key}`]);
});

test('a live session stays for ttl and endedTtl, an ended one for endedTtl', async () => {
  const redis = await ownRedis();
  const { client, admin, directory } = await gatewayOn(redis.url, { prefix: '' });
  await ready(client);
  const { key, record } = newSession();
  await directory.create(key, record);
  const live = await admin.pttl(key);
  expect(live).toBeLessThanOrEqual(TTL + ENDED_TTL);
  expect(live).toBeGreaterThan(TTL + ENDED_TTL - 10_000);
  await directory.endNow(key, 'called');
  const ended = await admin.pttl(key);
  expect(ended).toBeLessThanOrEqual(ENDED_TTL);
  expect(ended).toBeGreaterThan(ENDED_TTL - 10_000);
  expect(JSON.parse((await admin.get(key)) ?? '')).toEqual({
    format: 1,
    session: key,
    version: 2,
    nonce: record.nonce,
    ended: true,
  });
});

test('a session that a cold gateway finds near its end is refreshed, an expired one is not', async () => {
  const redis = await ownRedis();
  const { client, store } = await gatewayOn(redis.url, { prefix: '' });
  await ready(client);
  const [used, expired] = [newSession(), newSession()];
  await store.set(used.key, used.record, ENDED_TTL + 5000);
  await store.set(expired.key, expired.record, ENDED_TTL);
  const { directory } = directoryOn(store);
  expect(await directory.lookup(used.key)).toMatchObject({ kind: 'live' });
  expect(await directory.lookup(expired.key)).toEqual({ kind: 'ended' });
  // Commands of one connection are answered in order: the refresh has been done.
  expect(await client.pttl(used.key)).toBeGreaterThan(ENDED_TTL + 10_000);
  expect(await client.pttl(expired.key)).toBeLessThanOrEqual(ENDED_TTL);
});

test.each([
  ['a list', (client: Redis, key: string) => client.rpush(key, 'a')],
  ['no JSON', (client: Redis, key: string) => client.set(key, '{"backend_url":')],
  ['JSON, but no record', (client: Redis, key: string) => client.set(key, '["http://evil"]')],
  ['huge', (client: Redis, key: string) => client.set(key, JSON.stringify('x'.repeat(1e6)))],
  ['binary', (client: Redis, key: string) => client.set(key, Buffer.from([0xff, 0, 0xfe]))],
])(
  'a value that is %s is an ended session, told as unreadable, and left alone',
  async (_what, put) => {
    const redis = await ownRedis();
    const { client, admin, directory, failures } = await gatewayOn(redis.url, { prefix: '' });
    await ready(client);
    const { key, record } = newSession();
    await put(admin, key);
    const before = await admin.dump(key);
    expect(await directory.lookup(key)).toEqual({ kind: 'ended' });
    expect(await directory.create(key, record)).toBe('conflict');
    await directory.end(key, record, 'deleted');
    expect(await admin.dump(key)).toEqual(before);
    expect(failures[0]).toMatchObject({ during: 'decode' });
  },
);

test('a key that never expires is a live session', async () => {
  const redis = await ownRedis();
  const { client, admin, directory } = await gatewayOn(redis.url, { prefix: '' });
  await ready(client);
  const { key, record } = newSession();
  await admin.set(key, JSON.stringify(record));
  expect(await directory.lookup(key)).toEqual({ kind: 'live', record });
});

test('gateways with different prefixes do not see each other', async () => {
  const redis = await ownRedis();
  const one = await gatewayOn(redis.url, { prefix: `${randomUUID()}:` });
  const other = await gatewayOn(redis.url, { prefix: `${randomUUID()}:` });
  await Promise.all([ready(one.client), ready(other.client)]);
  const { key, record } = newSession();
  await one.directory.create(key, record);
  expect(await other.directory.lookup(key)).toEqual({ kind: 'unknown' });
});
