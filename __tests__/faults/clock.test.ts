import { afterEach, describe, expect, test } from '@jest/globals';
import { requireFaketime } from '../../scripts/ensure-fault-tools.mjs';
import { killChildren } from '../helpers/e2e-children.ts';
import { startGateway } from '../helpers/e2e-gateways.ts';
import { call, FAULTLESS, judge, statusesOf, type Asked } from '../helpers/fault-traffic.ts';
import { openSession, terminate, type Addressed } from '../helpers/mcp-client.ts';
import type { RedisServer } from '../helpers/redis-server.ts';
import { asked, ownRedis } from '../helpers/redis-topology.ts';
import { scriptedBackends, type ScriptedBackend } from '../helpers/scripted-backend.ts';
import { until } from '../helpers/until.ts';

const HOUR = 3600;
/** Of an idle session, in seconds. */
const TTL = 3;
/** For how long an ended session is told from one that was never issued (ms): the default. */
const ENDED_TTL = 24 * HOUR * 1000;

interface Pair {
  readonly redis: RedisServer;
  readonly backends: readonly ScriptedBackend[];
  readonly right: Addressed;
  /** Its clock is an hour off. */
  readonly wrong: Addressed;
}

afterEach(killChildren);

/** Two gateways, each a process of its own, on one Redis. */
async function pair(faketime: Record<string, string>): Promise<Pair> {
  const [redis, backends] = await Promise.all([ownRedis(), scriptedBackends(2)]);
  const settings = {
    BACKENDS: backends.map(({ origin }) => origin).join(','),
    REDIS_URL: redis.url,
    SESSION_TTL_SECONDS: String(TTL),
  };
  const [right, wrong] = await Promise.all([
    startGateway(settings),
    startGateway({ ...settings, LD_PRELOAD: requireFaketime(), ...faketime }),
  ]);
  return { redis, backends, right: originOf(right), wrong: originOf(wrong) };
}

function originOf({ url }: Addressed): Addressed {
  return { url: new URL(url).origin };
}

/** Seconds by which the clock of a gateway is ahead: it dates its own answers. */
async function ahead({ url }: Addressed): Promise<number> {
  const headers = { 'mcp-session-id': 'never-issued' };
  const response = await fetch(new URL('/mcp', url), { headers });
  return Math.round((Date.parse(response.headers.get('date') ?? '') - Date.now()) / 1000);
}

/** A session that nobody uses has expired in Redis when only the time of its tombstone is left. */
async function expired(redis: RedisServer): Promise<void> {
  await asked(redis, async (admin) =>
    until(async () => {
      const keys = await admin.keys('mcp-session:*');
      const left = await Promise.all(keys.map(async (key) => admin.pttl(key)));
      return left.every((ms) => ms <= ENDED_TTL);
    }),
  );
}

/** Calls of one session for longer than it would live idle. */
async function callsInUse(at: Addressed, session: string): Promise<Asked[]> {
  const calls: Asked[] = [];
  const began = performance.now();
  await until(async () => {
    calls.push(await call(at, session));
    return performance.now() - began > 1.5 * TTL * 1000;
  });
  return calls;
}

describe.each([
  ['an hour ahead', HOUR, { FAKETIME: `+${HOUR}` }],
  // As where the time of day is set, and the time since the start goes on as it was.
  ['an hour behind', -HOUR, { FAKETIME: `-${HOUR}`, FAKETIME_DONT_FAKE_MONOTONIC: '1' }],
])('a gateway whose clock is %s', (_title, off, faketime) => {
  test('finds, keeps, expires and ends the same sessions as the others', async () => {
    const { redis, backends, right, wrong } = await pair(faketime);
    expect(Math.abs((await ahead(wrong)) - off)).toBeLessThan(HOUR / 2);
    expect(Math.abs(await ahead(right))).toBeLessThan(HOUR / 2);

    const [ended, usedByRight, usedByWrong] = [
      await openSession(right),
      await openSession(wrong),
      await openSession(right),
    ];
    const everywhere = async (session: string): Promise<number[]> =>
      statusesOf([await call(right, session), await call(wrong, session)]);
    expect([await everywhere(ended), await everywhere(usedByRight)]).toEqual([[200], [200]]);

    await terminate(right, ended).expect(200);
    await until(async () => (await call(wrong, ended)).status === 404);
    const inUse = (
      await Promise.all([callsInUse(right, usedByRight), callsInUse(wrong, usedByWrong)])
    ).flat();
    expect(statusesOf(inUse)).toEqual([200]);
    await expired(redis);
    expect([await everywhere(usedByRight), await everywhere(usedByWrong)]).toEqual([[404], [404]]);
    expect(judge(backends, inUse)).toEqual(FAULTLESS);
  });
});
