import { expect, jest, test } from '@jest/globals';
import { backendsFile } from '../helpers/backends-file.ts';
import { onCleanup } from '../helpers/cleanup.ts';
import { startGateway } from '../helpers/e2e-gateways.ts';
import { ask, FaultClient, INITIALIZE, inLanes, type Answer } from '../helpers/fault-client.ts';
import { FAULTLESS, judgeServers } from '../helpers/fault-history.ts';
import { entryOf, faultServers, type FaultServer } from '../helpers/fault-servers.ts';
import { FULL, show } from '../helpers/fault-size.ts';
import { Way } from '../helpers/fault-way.ts';
import { sharedRedisUrl } from '../helpers/redis-server.ts';
import { until } from '../helpers/until.ts';

jest.setTimeout(FULL ? 600_000 : 120_000);

const SESSIONS = FULL ? 10_000 : 600;
const INITIALIZES = FULL ? 600 : 60;
/** Until the clients of the dead server work again (ms). */
const BACK_WITHIN = 15_000;

test(`kill -9 of one of three servers under ${SESSIONS} sessions on two gateways harms its own sessions only`, async () => {
  const servers = faultServers({ work: 5 });
  const three = await Promise.all(['a', 'b', 'c'].map((id) => servers.start(id)));
  const ways = await gatewaysFor(three);
  const clients = Array.from({ length: SESSIONS }, (_, turn) => new FaultClient(ways, turn));
  await inLanes(64, clients, (client) => client.open());

  const load = keepCalling(clients);
  await until(() => load.calls >= SESSIONS / 20);
  const killedAt = performance.now();
  await three[1]?.kill();
  const initializes = openMeanwhile(ways);
  const victims = clients.filter(({ sessions: [first = ''] }) => first.startsWith('b.'));
  const others = clients.filter(({ sessions: [first = ''] }) => !first.startsWith('b.'));
  load.callOnceMore(mixed(victims, others));
  await load.stop();
  const opening = await initializes;
  // Their last call was on its way to a gateway that had not heard of the death yet.
  const untold = victims.filter(({ sessions: [first = ''], lost }) => !lost.has(first));
  await inLanes(32, untold, (client) => client.call());

  const told = victims.flatMap(({ sessions: [first = ''], lost }) => lost.get(first) ?? []);
  const back = Math.max(...victims.map(({ answeredAt }) => answeredAt)) - killedAt;
  const brokenOff = opening.filter(({ status }) => status !== 200);
  expect(judgeServers(servers.history())).toEqual(FAULTLESS);
  expect(others.filter(({ lost, failed }) => lost.size + failed.length > 0)).toEqual([]);
  expect(victims.length).toBeGreaterThan(SESSIONS / 4);
  expect(told).toHaveLength(victims.length);
  expect(victims.filter(({ failed }) => failed.length > 1)).toEqual([]);
  expect(tooLate([...victims.flatMap(({ failed }) => failed), ...brokenOff], told)).toEqual([]);
  expect(back).toBeLessThan(BACK_WITHIN);
  show(
    `kill -9 of one of three servers, ${SESSIONS} sessions on two gateways: 0 requests misrouted, 0 executed twice; ` +
      `${others.length} sessions of the other servers: 0 errors; ${opening.length - brokenOff.length} of ` +
      `${INITIALIZES} initializes answered 200; ${victims.length} sessions of the dead server: all told 404, ` +
      `${victims.filter(({ failed }) => failed.length > 0).length} of them after a 502 to a call that was under way, ` +
      `and all working again ${(back / 1000).toFixed(1)} s after the kill`,
  );
});

/** `/mcp` of two gateways with one Redis. */
async function gatewaysFor(three: readonly FaultServer[]): Promise<Way[]> {
  const { path: BACKENDS_FILE } = backendsFile(three.map(entryOf));
  const settings = { BACKENDS_FILE, REDIS_URL: await sharedRedisUrl() };
  const gateways = await Promise.all([startGateway(settings), startGateway(settings)]);
  for (const { child } of gateways) onCleanup(() => child.kill());
  return gateways.map(({ url }) => new Way(url));
}

interface Load {
  /** Answered so far. */
  readonly calls: number;
  /** From now on these clients call, each once, as soon as it is its turn. */
  callOnceMore(last: readonly FaultClient[]): void;
  stop(): Promise<void>;
}

/** Calls of all clients in turns, so many at once. */
function keepCalling(clients: readonly FaultClient[]): Load {
  let calls = 0;
  let last: readonly FaultClient[] | undefined;
  const turns = (function* (): Generator<FaultClient> {
    for (let turn = 0; ; turn += 1) {
      if (last) break;
      yield clients[turn % clients.length] as FaultClient;
    }
    yield* last;
  })();
  const all = inLanes(32, turns, async (client) => {
    try {
      await client.call();
    } catch (error) {
      last = [];
      throw error;
    }
    calls += 1;
  });
  return {
    get calls() {
      return calls;
    },
    callOnceMore: (clients) => (last = clients),
    stop: () => all,
  };
}

/** In turn one of each, until there are none left. */
function mixed<T>(some: readonly T[], others: readonly T[]): T[] {
  const longest = Math.max(some.length, others.length);
  return Array.from({ length: longest }, (_, at) => [some[at], others[at]])
    .flat()
    .filter((each): each is T => each !== undefined);
}

async function openMeanwhile(ways: readonly Way[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  await inLanes(8, Array(INITIALIZES).keys(), async (turn) => {
    answers.push(await ask(ways[turn % ways.length] as Way, undefined, INITIALIZE));
  });
  return answers;
}

/** Requests that failed although their gateway had heard of the death: what it has sent before may have been executed. */
function tooLate(failed: readonly Answer[], told: readonly Answer[]): Answer[] {
  const heardAt = (way: Way): number =>
    Math.min(...told.filter((answer) => answer.way === way).map(({ receivedAt }) => receivedAt));
  return failed.filter(({ status, sentAt, way }) => status !== 502 || sentAt > heardAt(way));
}
