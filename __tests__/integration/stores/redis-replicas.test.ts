import { beforeEach, describe, expect, test } from '@jest/globals';
import { proxyOf, type RedisProxy } from '../../helpers/redis-proxy.ts';
import type { RedisServer } from '../../helpers/redis-server.ts';
import { asked, ownRedis, replicaOf } from '../../helpers/redis-topology.ts';
import { eventually, gatewayOn, newSession, ready, timed, type Gateway } from './redis-fixture.ts';

const UNAVAILABLE = { code: 'store_unavailable' };
const session = newSession();
let proxy: RedisProxy;
let replica: RedisServer;
let gateway: Gateway;

beforeEach(async () => {
  const master = await ownRedis();
  replica = await replicaOf(master);
  proxy = await proxyOf(master);
  gateway = await gatewayOn(proxy.url, { prefix: '', minReplicas: 1 });
  await gateway.directory.ready();
});

const create = ({ key, record } = session): Promise<string> =>
  gateway.directory.create(key, record);

/** The round trips that store or end something, by the commands of each. */
function writes(): string[][] {
  return proxy.sent.filter((commands) => ['SET', 'EVAL', 'PEXPIRE'].includes(commands[0] ?? ''));
}

describe('a session that a replica must have', () => {
  test('is there when it is reported to be created, after one round trip', async () => {
    expect(await create()).toBe('created');
    expect(await asked(replica, async (admin) => admin.exists(session.key))).toBe(1);
    expect(writes()).toEqual([['SET', 'WAIT']]);
  });

  test('is ended there when it is reported to be ended', async () => {
    await create();
    expect(await gateway.directory.endNow(session.key, 'called')).toBe(true);
    expect(await asked(replica, async (admin) => admin.get(session.key))).toContain('"ended":true');
    expect(writes()).toEqual([['SET', 'WAIT'], ['EVAL'], ['PEXPIRE', 'WAIT']]);
  });

  test('is not created while the replica is frozen, and can be afterwards', async () => {
    replica.freeze();
    const [, took] = await timed(() => expect(create()).rejects.toMatchObject(UNAVAILABLE));
    expect(took).toBeLessThan(1500);
    replica.thaw();
    await eventually(async () => expect(await create(newSession())).toBe('created'));
  });

  test('is not created if there are fewer replicas, and what was written is left, unknown to anybody', async () => {
    const patient = { client: { commandTimeout: 10_000 }, storeTimeout: 10_000 };
    const demanding = await gatewayOn(proxy.url, { prefix: '', minReplicas: 2, ...patient });
    await demanding.directory.ready();
    const created = demanding.directory.create(session.key, session.record);
    await expect(created).rejects.toMatchObject({
      ...UNAVAILABLE,
      cause: { message: '1 of 2 replicas have what was written' },
    });
    expect(await gateway.directory.lookup(session.key)).toMatchObject({ kind: 'live' });
  });

  test('is not believed to be there because an earlier attempt has left it', async () => {
    replica.freeze();
    await expect(create()).rejects.toMatchObject(UNAVAILABLE);
    await expect(create()).rejects.toMatchObject(UNAVAILABLE);
    replica.thaw();
    await eventually(async () => expect(await create()).toBe('created'));
  });
});

test('sessions are read as ever while many others wait for a replica that is frozen', async () => {
  await create();
  const cold = await gatewayOn(proxy.url, { prefix: '', minReplicas: 1, cache: false });
  await ready(cold.client);
  replica.freeze();
  const creating = Promise.allSettled(
    Array.from({ length: 100 }, async () => {
      const { key, record } = newSession();
      return cold.directory.create(key, record);
    }),
  );
  for (let request = 0; request < 20; request += 1) {
    expect(await cold.directory.lookup(session.key)).toMatchObject({ kind: 'live' });
  }
  expect((await creating).filter(({ status }) => status === 'fulfilled')).toEqual([]);
  replica.thaw();
  const { key, record } = newSession();
  await eventually(async () => expect(await cold.directory.create(key, record)).toBe('created'));
});

test('a gateway that ends gives back the connection it has waited on', async () => {
  await gateway.directory.close();
  await eventually(async () => {
    const list = String(await gateway.admin.call('CLIENT', 'LIST', 'TYPE', 'normal'));
    const ofGateway = list.split('\n').filter((line) => line.includes('user=mcp-gateway'));
    expect(ofGateway).toHaveLength(1);
  });
});
