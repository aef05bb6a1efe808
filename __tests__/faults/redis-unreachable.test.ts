import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { onCleanup } from '../helpers/cleanup.ts';
import {
  connectTo,
  gatewayOn,
  HEALED_WITHIN,
  REFUSED_WITHIN,
  sceneOn,
} from '../helpers/fault-scene.ts';
import { FULL, show } from '../helpers/fault-size.ts';
import {
  call,
  eachInTurn,
  FAULTLESS,
  healing,
  judge,
  keepAsking,
  open,
  statusesOf,
  type Asked,
} from '../helpers/fault-traffic.ts';
import { openSession } from '../helpers/mcp-client.ts';
import { proxyOf, type RedisProxy } from '../helpers/redis-proxy.ts';
import { startRedis, type RedisServer } from '../helpers/redis-server.ts';
import { ownRedis } from '../helpers/redis-topology.ts';
import { scriptedBackends } from '../helpers/scripted-backend.ts';

interface Fault {
  readonly redis: RedisServer;
  readonly proxy: RedisProxy;
}

interface Found {
  /** Requests of sessions that the gateway has in its cache. */
  readonly cached: readonly Asked[];
  /** Requests of sessions for which it has to ask Redis. */
  readonly uncached: readonly Asked[];
  readonly opening: readonly Asked[];
  /** Milliseconds from the repair until all of them are answered. */
  readonly healed: number;
}

/** How much is asked while it is broken. */
const ROUNDS = FULL ? 200 : 25;

/** Breaks the way to Redis under load, mends it, and tells what was answered from the break to the repair. */
async function during(
  breakIt: (fault: Fault) => unknown,
  mend: (fault: Fault) => unknown,
): Promise<Found> {
  const redis = await ownRedis();
  const proxy = await proxyOf(redis);
  const scene = await sceneOn(() => connectTo(proxy.url));
  const next = eachInTurn(scene.sessions);
  const kinds = [
    () => call(scene.warm, next()),
    () => call(scene.cold, next()),
    () => open(scene.cold),
  ];
  const traffic = kinds.map((kind) => keepAsking([kind, kind]));
  await Promise.all(traffic.map((each) => each.more(2)));
  await breakIt({ redis, proxy });
  // What is on its way while it breaks may still get through.
  const before = traffic.map(({ asked }) => asked.length + 2);
  await Promise.all(traffic.map((each) => each.more(ROUNDS)));
  await mend({ redis, proxy });
  const until = traffic.map(({ asked }) => asked.length);
  const healed = await healing(...kinds);
  const all = await Promise.all(traffic.map((each) => each.stop()));
  expect(judge(scene.backends, all.flat())).toEqual(FAULTLESS);
  const [cached = [], uncached = [], opening = []] = all.map((asked, n) =>
    asked.slice(before[n], until[n]),
  );
  return { cached, uncached, opening, healed };
}

function tell(what: string, { cached, uncached, opening, healed }: Found): void {
  const each = [cached, uncached, opening].map(
    (asked) => `${asked.length} answered ${statusesOf(asked).join(' or ')}`,
  );
  show(
    `Redis ${what}: cached ${each[0]}, not cached ${each[1]}, initialize ${each[2]}; ` +
      `slowest ${slowest(cached, uncached, opening).toFixed()} ms; healed in ${healed.toFixed()} ms`,
  );
}

function slowest(...asked: (readonly Asked[])[]): number {
  return Math.max(...asked.flat().map(({ took }) => took));
}

/** Comes and goes; the function that is returned ends it, after some times. */
function flap({ proxy }: Fault): () => Promise<void> {
  let changes = 0;
  const flapping = (async () => {
    for (; changes < 8 || changes % 2 === 1; changes += 1) {
      await (changes % 2 === 0 ? proxy.refuse() : proxy.accept());
      await pause(250);
    }
  })();
  return () => flapping;
}

describe('what needs Redis gets 503 in time, cached sessions are served, and it heals by itself', () => {
  let stopFlapping = async (): Promise<void> => {};

  test.each<[string, number[], number[], (fault: Fault) => unknown, (fault: Fault) => unknown]>([
    ['frozen', [503], [], ({ redis }) => redis.freeze(), ({ redis }) => redis.thaw()],
    ['refusing', [503], [], ({ proxy }) => proxy.refuse(), ({ proxy }) => proxy.accept()],
    [
      'behind a black hole',
      [503],
      [],
      ({ proxy }) => (proxy.blackHole = true),
      ({ proxy }) => (proxy.blackHole = false),
    ],
    [
      'doing what it is told while its replies are lost',
      [503],
      [],
      ({ proxy }) => (proxy.rewrite = () => []),
      ({ proxy }) => (proxy.rewrite = (replies) => replies),
    ],
    [
      'at the end of half-open connections',
      [],
      [200, 503],
      ({ proxy }) => proxy.cutSilently(),
      () => {},
    ],
    ['resetting connections', [], [200, 503], ({ proxy }) => proxy.reset(), () => {}],
    ['flapping', [], [200, 503], (fault) => (stopFlapping = flap(fault)), () => stopFlapping()],
    [
      'slow by 150 ms',
      [200],
      // On a busy machine 150 ms are now and then 300, which is the longest that a command may take.
      [503],
      ({ proxy }) => (proxy.delay = 150),
      ({ proxy }) => (proxy.delay = 0),
    ],
  ])('when it is %s', async (what, surely, perhaps, breakIt, mend) => {
    const found = await during(breakIt, mend);
    tell(`is ${what}`, found);
    const { cached, uncached, opening, healed } = found;
    expect(statusesOf(cached)).toEqual([200]);
    const statuses = statusesOf([...uncached, ...opening]);
    expect(statuses).toEqual(expect.arrayContaining(surely));
    expect([...surely, ...perhaps]).toEqual(expect.arrayContaining(statuses));
    expect(slowest(cached, uncached, opening)).toBeLessThan(REFUSED_WITHIN);
    expect(healed).toBeLessThan(HEALED_WITHIN);
  });
});

test('replies that are out of step by one send no request to the backend of another session', async () => {
  const { uncached, healed } = await during(
    ({ proxy }) => {
      let inStep = true;
      proxy.rewrite = ([first, ...others]) => {
        if (first === undefined) return [];
        const doubled = inStep && first.toString().startsWith('$');
        if (doubled) inStep = false;
        return doubled ? [first, first, ...others] : [first, ...others];
      };
    },
    ({ proxy }) => {
      proxy.rewrite = (replies) => replies;
      proxy.reset();
    },
  );
  show(`Redis is out of step: ${uncached.length} answered ${statusesOf(uncached).join(' or ')}`);
  expect(healed).toBeLessThan(HEALED_WITHIN);
});

describe('a Redis that is not there when the gateway starts', () => {
  test('is found when it comes; and when it was killed, and is back empty, sessions are unknown', async () => {
    const redis = await startRedis();
    onCleanup(() => redis.stop());
    await redis.kill();
    const backends = await scriptedBackends(2);
    const gateway = await gatewayOn(connectTo(redis.url), backends, { cache: false });
    const refused = [await open(gateway), await call(gateway, 'never-issued')];
    expect(statusesOf(refused)).toEqual([503]);
    expect(slowest(refused)).toBeLessThan(REFUSED_WITHIN);

    await redis.restart();
    const found = await healing(() => open(gateway));
    const session = await openSession(gateway);
    expect((await call(gateway, session)).status).toBe(200);
    await redis.kill();
    expect((await call(gateway, session)).status).toBe(503);
    await redis.restart();
    const foundAgain = await healing(() => open(gateway));
    expect((await call(gateway, session)).status).toBe(400);

    show(`Redis comes: found in ${found.toFixed()} ms, after a kill in ${foundAgain.toFixed()} ms`);
    expect(Math.max(found, foundAgain)).toBeLessThan(HEALED_WITHIN);
    expect(judge(backends)).toEqual(FAULTLESS);
  });
});
