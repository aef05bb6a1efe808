import { describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { connectTo, gatewayOn, HEALED_WITHIN, sceneOn } from '../helpers/fault-scene.ts';
import { show } from '../helpers/fault-size.ts';
import { call, FAULTLESS, healing, judge, open, statusesOf } from '../helpers/fault-traffic.ts';
import type { RedisServer } from '../helpers/redis-server.ts';
import { asked, ownRedis, replicaOf } from '../helpers/redis-topology.ts';

type Change = (admin: Redis) => Promise<unknown>;

interface Refusing {
  readonly redis: RedisServer;
  readonly minReplicas?: number;
}

/** Lets Redis refuse to write, asks for all sessions at a gateway that is new, and tries to open one. */
async function expectReadsOnly(
  what: string,
  { redis, minReplicas = 0 }: Refusing,
  refuse: () => unknown,
  mend: () => unknown,
): Promise<void> {
  const connect = (): Redis => connectTo(redis.url);
  const scene = await sceneOn(connect, { minReplicas });
  // The first request of a session writes to the store: those of clients come at once.
  await Promise.all(scene.sessions.map((session) => call(scene.warm, session)));
  await refuse();
  const fresh = await gatewayOn(connect(), scene.backends, { minReplicas });
  await fresh.sessions.ready();
  const calls = await Promise.all(scene.sessions.map(async (session) => call(fresh, session)));
  expect(statusesOf(calls)).toEqual([200]);
  const opening = [await open(fresh), await open(scene.warm)];
  expect(statusesOf(opening)).toEqual([503]);
  expect(opening.map(({ opened }) => opened)).toEqual([undefined, undefined]);
  // The client connects anew when it is told READONLY, in case it speaks to a master that was.
  expect(await healing(() => call(fresh, scene.sessions[0] ?? ''))).toBeLessThan(HEALED_WITHIN);
  await mend();
  const healed = await healing(() => open(fresh));
  show(`Redis ${what}: ${calls.length} routed, initialize 503; healed in ${healed.toFixed()} ms`);
  expect(healed).toBeLessThan(HEALED_WITHIN);
  expect(judge(scene.backends, calls)).toEqual(FAULTLESS);
}

describe('existing sessions are routed by a gateway that has never heard of them, and none is opened', () => {
  const replicas = async (count: number, admin: Redis): Promise<unknown> =>
    admin.config('SET', 'min-replicas-to-write', count);

  test.each<[string, Change, Change]>([
    [
      'out of memory',
      async (admin) => admin.config('SET', 'maxmemory', '1'),
      async (admin) => admin.config('SET', 'maxmemory', '0'),
    ],
    [
      'a replica without its master',
      async (admin) => admin.replicaof('127.0.0.1', 1),
      async (admin) => admin.replicaof('NO', 'ONE'),
    ],
    ['short of replicas', (admin) => replicas(1, admin), (admin) => replicas(0, admin)],
  ])('when Redis is %s', async (what, refuse, mend) => {
    const redis = await ownRedis('--maxmemory-policy', 'noeviction');
    const tell = (change: Change) => () => asked(redis, change);
    await expectReadsOnly(`is ${what}`, { redis }, tell(refuse), tell(mend));
  });

  test('when the only replica is frozen, and minReplicas asks for it', async () => {
    const redis = await ownRedis();
    const replica = await replicaOf(redis);
    await expectReadsOnly(
      'has a frozen replica',
      { redis, minReplicas: 1 },
      () => replica.freeze(),
      () => replica.thaw(),
    );
  });
});
