import { beforeEach, describe, expect, test } from '@jest/globals';
import { proxyOf, type RedisProxy } from '../../helpers/redis-proxy.ts';
import { ownRedis } from '../../helpers/redis-topology.ts';
import { ENDED_TTL, gatewayOn, newSession, ready, TTL, type Gateway } from './redis-fixture.ts';

const session = newSession();
let proxy: RedisProxy;
let gateway: Gateway;
let cold: Gateway;

beforeEach(async () => {
  proxy = await proxyOf(await ownRedis());
  gateway = await gatewayOn(proxy.url, { prefix: '' });
  cold = await gatewayOn(proxy.url, { prefix: '' });
  await Promise.all([ready(gateway.client), ready(cold.client)]);
  taken();
});

/** What a connection sends on its own account: when it is made, and, to be heard, each second. */
const OF_CONNECTIONS = new Set(['HELLO', 'CLIENT', 'INFO', 'SUBSCRIBE']);

/** The round trips since the last time, by the commands of each. */
function taken(): string[][] {
  return proxy.sent.splice(0).filter(([first = '']) => !OF_CONNECTIONS.has(first));
}

describe('round trips to Redis', () => {
  test('an initialize takes one', async () => {
    await gateway.directory.create(session.key, session.record);
    expect(taken()).toEqual([['SET']]);
  });

  test('a request of a session in the cache takes none', async () => {
    await gateway.directory.create(session.key, session.record);
    taken();
    for (let request = 0; request < 1000; request += 1) await gateway.directory.lookup(session.key);
    expect(taken()).toEqual([]);
  });

  test('a request of a session that is not in the cache takes one', async () => {
    await gateway.directory.create(session.key, session.record);
    taken();
    await cold.directory.lookup(session.key);
    await cold.directory.lookup(session.key);
    expect(taken()).toEqual([['GET', 'PTTL']]);
  });

  test('a request with an id that was never issued takes one', async () => {
    await cold.directory.lookup(session.key);
    expect(taken()).toEqual([['GET', 'PTTL']]);
  });

  test('a DELETE of a session in the cache takes one', async () => {
    await gateway.directory.create(session.key, session.record);
    taken();
    await gateway.directory.end(session.key, session.record, 'deleted');
    expect(taken()).toEqual([['EVAL']]);
  });

  test('a session that is in use is refreshed by one more, for which nobody waits', async () => {
    await gateway.store.set(session.key, session.record, ENDED_TTL + TTL / 2);
    taken();
    await cold.directory.lookup(session.key);
    await cold.client.ping();
    expect(taken().flat()).toEqual(['GET', 'PTTL', 'PEXPIRE', 'PING']);
  });
});
