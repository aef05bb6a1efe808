import { beforeEach, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { RedisStore } from '../../../src/index.ts';
import { gateway } from '../../helpers/gateway.ts';
import { call, openSession, openStream, terminate } from '../../helpers/mcp-client.ts';
import { ACL_PASSWORD, documentedRules } from '../../helpers/redis-acl.ts';
import { ownRedis } from '../../helpers/redis-topology.ts';
import { scriptedBackends } from '../../helpers/scripted-backend.ts';
import { connect, ready } from './redis-fixture.ts';

const USER = 'by-the-book';
let url: string;
let admin: Redis;

beforeEach(async () => {
  ({ url } = await ownRedis());
  admin = await ready(connect(url));
  await admin.call('ACL', 'SETUSER', USER, ...documentedRules());
});

function client(): Redis {
  return connect(url, { username: USER, password: ACL_PASSWORD });
}

/** What the user was refused. */
async function refused(): Promise<string> {
  return JSON.stringify(await admin.call('ACL', 'LOG'));
}

test('the Redis user that the documentation prints is enough for two gateways, with all options', async () => {
  const backends = await scriptedBackends(2);
  const options = {
    backends: backends.map(({ origin }) => origin),
    ...{ recover: true, sse: true, affinity: { tasks: true }, secret: 's'.repeat(32) },
  };
  const gateways = await Promise.all(
    [1, 2].map(() => gateway({ store: new RedisStore({ client: client() }), options })),
  );
  const [one, other] = gateways;
  if (!one || !other) throw new Error('no gateways');
  await Promise.all(gateways.map(({ sessions }) => sessions.ready()));
  const lost = await openSession(one);
  const [id, second] = [await openSession(one), await openSession(other)];
  for (const at of gateways) for (const each of [id, second]) await call(at, each).expect(200);
  const stream = await openStream(other, id);
  await terminate(one, id).expect(200);
  // Told by a message.
  await stream.closed;
  expect(await one.sessions.end(second)).toBe(true);
  await backends.find(({ sessions }) => sessions.has(lost))?.refuse();
  await call(other, lost).expect(200);
  await Promise.all(gateways.map(({ sessions }) => sessions.close()));
  expect(gateways.map(({ sessions }) => sessions.stats().storeFailures)).toEqual([0, 0]);
  expect(await refused()).toBe('[]');
});

test('it may do nothing else', async () => {
  const user = await ready(client());
  for (const command of [
    ['GET', 'other:key'],
    ['SET', 'other:key', '1'],
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['FLUSHALL'],
    ['CONFIG', 'GET', '*'],
    ['ACL', 'LIST'],
    ['SUBSCRIBE', 'other'],
    ['PUBLISH', 'other', 'x'],
    ['EVAL', "return redis.call('GET', 'other:key')", '0'],
    ['EVAL', "return redis.call('FLUSHALL')", '0'],
  ]) {
    const [name = '', ...args] = command;
    await expect(user.call(name, ...args)).rejects.toThrow(/NOPERM|can't (access|run)/i);
  }
});
