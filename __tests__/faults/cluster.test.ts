import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Cluster, Redis } from 'ioredis';
import { connectRedis } from '../../examples/gateway-redis.ts';
import { gatewayOn, released, sceneOn, type Scene } from '../helpers/fault-scene.ts';
import { FULL, show } from '../helpers/fault-size.ts';
import {
  call,
  callAll,
  eachInTurn,
  failedFor,
  FAULTLESS,
  healing,
  judge,
  keepAsking,
  open,
  published,
  statusesOf,
  type Asked,
  type Traffic,
} from '../helpers/fault-traffic.ts';
import { moveSlots, startClusterSet, type ClusterSet } from '../helpers/redis-topology.ts';

/** What the project promises of the death of a master, in milliseconds. */
const FAILS_FOR_LESS_THAN = 8000;

let cluster: ClusterSet;

beforeEach(async () => {
  cluster = await startClusterSet();
});

function connect(): Redis | Cluster {
  const nodes = cluster.masters.map(({ host, port }) => ({ host, port }));
  return released(connectRedis({ kind: 'cluster', nodes }));
}

/** All that a gateway is asked while its Cluster changes. */
function load({ warm, cold, sessions }: Scene): Traffic {
  const next = eachInTurn(sessions);
  const readers = Array.from(
    { length: FULL ? 16 : 4 },
    (_, n) => () => call(n % 2 ? warm : cold, next()),
  );
  const openers = Array.from({ length: FULL ? 16 : 4 }, (_, n) => () => open(n % 2 ? warm : cold));
  return keepAsking([...readers, ...openers]);
}

async function expectAllRouted(scene: Scene, asked: readonly Asked[], what: string): Promise<void> {
  const ids = [...scene.sessions, ...published(asked)];
  const fresh = await gatewayOn(connect(), scene.backends);
  await fresh.sessions.ready();
  const calls = await callAll(fresh, ids);
  const routed = calls.filter(({ status }) => status === 200).length;
  const failed = asked.filter(({ status }) => status === 503).length;
  show(
    `Cluster, ${what}: ${failed} of ${asked.length} refused, errors for ${failedFor(asked).toFixed()} ms; ` +
      `${routed} of ${ids.length} ids that were let out are routed`,
  );
  expect(statusesOf(calls)).toEqual([200]);
  expect(judge(scene.backends, [...asked, ...calls])).toEqual(FAULTLESS);
}

describe.each([0, 1])('on a Cluster, with minReplicas %d,', (minReplicas) => {
  test('slots that move from one master to another lose no session', async () => {
    const scene = await sceneOn(connect, { minReplicas });
    const traffic = load(scene);
    await traffic.more(50);
    await moveSlots(cluster, FULL ? 1000 : 100);
    await traffic.more(50);
    const asked = await traffic.stop();
    expect(statusesOf(asked).filter((status) => status !== 200 && status !== 503)).toEqual([]);
    await expectAllRouted(scene, asked, `slots moved, minReplicas ${minReplicas}`);
  });
});

test('when a master of a Cluster is killed errors are 503 for less than 8 s, and no id that was let out is lost', async () => {
  const scene = await sceneOn(connect, { minReplicas: 1 });
  const traffic = load(scene);
  await traffic.more(FULL ? 2000 : 200);
  await cluster.masters[0]?.kill();
  const gone = performance.now();
  await traffic.more(200);
  await healing(...scene.sessions.map((id) => () => call(scene.cold, id)));
  show(
    `Cluster, master killed: all sessions found again after ${(performance.now() - gone).toFixed()} ms`,
  );
  const asked = await traffic.stop();
  expect(statusesOf(asked)).toEqual([200, 503]);
  expect(failedFor(asked)).toBeLessThan(FAILS_FOR_LESS_THAN);
  await expectAllRouted(scene, asked, 'master killed');
});
