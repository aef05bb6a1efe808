import { describe, expect, test } from '@jest/globals';
import type { Cluster, Redis } from 'ioredis';
import { connectRedis } from '../../examples/gateway-redis.ts';
import { gatewayOn, HEALED_WITHIN, released, sceneOn, type Scene } from '../helpers/fault-scene.ts';
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
  type Traffic,
} from '../helpers/fault-traffic.ts';
import {
  MASTER_NAME,
  masterPort,
  startSentinelSet,
  type SentinelSet,
} from '../helpers/redis-topology.ts';
import { until } from '../helpers/until.ts';

/** What the project promises of a failover, in milliseconds. */
const FAILS_FOR_LESS_THAN = 6000;

function connectBy({ sentinels: all }: SentinelSet): Redis | Cluster {
  const sentinels = all.map(({ host, port }) => ({ host, port }));
  return released(connectRedis({ kind: 'sentinels', sentinels, name: MASTER_NAME }));
}

/** All that a gateway is asked while its master goes. */
function load({ warm, cold, sessions }: Scene): Traffic {
  const next = eachInTurn(sessions);
  const workers = [
    () => call(warm, next()),
    () => call(cold, next()),
    ...Array.from({ length: FULL ? 16 : 6 }, (_, n) => () => open(n % 2 === 0 ? warm : cold)),
  ];
  return keepAsking(workers);
}

async function promoted(set: SentinelSet): Promise<void> {
  const [sentinel] = set.sentinels;
  await until(async () => !!sentinel && (await masterPort(sentinel)) !== set.master.port);
}

describe('when Sentinels replace a master', () => {
  test('that was killed, errors are 503 for less than 6 s, and minReplicas loses no id that was let out', async () => {
    const set = await startSentinelSet();
    const scene = await sceneOn(() => connectBy(set), { minReplicas: 1 });
    const traffic = load(scene);
    await traffic.more(FULL ? 2000 : 200);
    await set.master.kill();
    await promoted(set);
    await healing(
      () => open(scene.warm),
      () => open(scene.cold),
    );
    const asked = await traffic.stop();

    const ids = [...scene.sessions, ...published(asked)];
    const fresh = await gatewayOn(connectBy(set), scene.backends);
    await fresh.sessions.ready();
    const calls = await callAll(fresh, ids);
    show(
      `Sentinel failover: errors for ${failedFor(asked).toFixed()} ms, ` +
        `${calls.filter(({ status }) => status === 200).length} of ${ids.length} ids that were let out are routed`,
    );
    expect(statusesOf(asked)).toEqual([200, 503]);
    expect(failedFor(asked)).toBeLessThan(FAILS_FOR_LESS_THAN);
    expect(statusesOf(calls)).toEqual([200]);
    expect(judge(scene.backends, [...asked, ...calls])).toEqual(FAULTLESS);
  });

  test('that was frozen, a gateway that had nothing to ask meanwhile does not believe the old one', async () => {
    const set = await startSentinelSet(3000);
    const scene = await sceneOn(() => connectBy(set), { sessions: 3 });
    const idle = await gatewayOn(connectBy(set), scene.backends, { cache: false });
    await idle.sessions.ready();
    set.master.freeze();
    await promoted(set);
    await healing(() => open(scene.warm));
    const sessions = await Promise.all([1, 2, 3].map(async () => open(scene.warm)));
    set.master.thaw();
    const calls = await Promise.all(published(sessions).map(async (id) => call(idle, id)));
    expect(statusesOf(calls).filter((status) => status !== 200 && status !== 503)).toEqual([]);
    const [first = ''] = published(sessions);
    expect(await healing(() => call(idle, first))).toBeLessThan(HEALED_WITHIN);
  });
});
