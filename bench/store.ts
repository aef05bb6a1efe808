/** P4 to P6 and P8: what the store costs, and how it scales. */
import { Redis as Client } from 'ioredis';
import { RedisStore } from '../src/index.ts';
import { keyOf } from '../src/routing/keys.ts';
import { newRecord } from '../src/store/record.ts';
import { median } from './lib/comparison.ts';
import { Connection, spread } from './lib/load.ts';
import { call, expectSuccess, initialize, remove, sessionOf } from './lib/messages.ts';
import { countRoundTrips, startRedis, type Redis } from './lib/redis.ts';
import { shown, type Figure, type Section, type Table } from './lib/result.ts';
import { askProcess, startBackend, startGateway } from './lib/rounds.ts';

/** Asked one by one, for round trips and latencies. */
const TIMES = 400;
const LATENCIES = 2000;
const SCALES = [10, 1000, 10_000, 100_000, 1_000_000];
/** As many as are in the cache of the default options, and fewer. */
const CACHED = 3000;
const WRITTEN_AT_ONCE = 5000;
const TTL = 2 * 60 * 60 * 1000;
const CONNECTIONS = 16;
const ROUNDS = 24;
const REQUESTS = 1500;
const VARIANT = 'forward';

type Gateway = Awaited<ReturnType<typeof startGateway>>;

export async function store(): Promise<Section> {
  const redis = await startRedis();
  const backend = await startBackend();
  const start = (url: string): Promise<Gateway> =>
    startGateway({ TARGET: backend.url, VARIANTS: VARIANT, REDIS_URL: url });
  try {
    const figures = [
      ...(await roundTrips(redis, start)),
      await timeToFirstByte(await start(redis.url)),
      await twoGateways([await start(redis.url), await start(redis.url)]),
    ];
    const { table, figures: scaled } = await sessions(redis, await start(redis.url), backend.url);
    return { figures: [...figures, ...scaled], tables: [table] };
  } finally {
    backend.child.disconnect();
    await redis.stop();
  }
}

async function roundTrips(
  redis: Redis,
  start: (url: string) => Promise<Gateway>,
): Promise<Figure[]> {
  const counter = await countRoundTrips(redis);
  const gateways = [await start(counter.url), await start(counter.url)];
  const [warm, cold] = gateways.map(({ urls: [url = ''] }) => new Connection(url));
  if (!warm || !cold) throw new Error('a gateway has not started');
  const ids: string[] = [];
  const each = async (ask: (id: string) => Promise<unknown>): Promise<number> => {
    counter.taken();
    for (const id of ids) await ask(id);
    return counter.taken() / TIMES;
  };
  counter.taken();
  for (let at = 0; at < TIMES; at += 1) ids.push(sessionOf(await warm.ask(initialize())));
  const opening = counter.taken() / TIMES;
  const first = await each(async (id) => expectSuccess(await warm.ask(call(id))));
  const cached = await each(async (id) => expectSuccess(await warm.ask(call(id))));
  const elsewhere = await each(async (id) => expectSuccess(await cold.ask(call(id))));
  const ending = await each(async (id) => expectSuccess(await warm.ask(remove(id))));
  for (const connection of [warm, cold]) connection.close();
  for (const { child } of gateways) child.disconnect();
  counter.stop();
  const what = (of: string): string => `round trips to Redis for ${of}`;
  return [
    {
      ...{ id: 'P4', what: what('the first request of a session, which nobody waits for') },
      ...{ value: first, unit: '', atMost: 1 },
    },
    { id: 'P4', what: what('a request of a cached session'), value: cached, unit: '', atMost: 0 },
    { id: 'P4', what: what('one that is not cached'), value: elsewhere, unit: '', atMost: 1 },
    { id: 'P4', what: what('an initialize'), value: opening, unit: '', atMost: 1 },
    { id: 'P4', what: what('a DELETE'), value: ending, unit: '', atMost: 1 },
  ];
}

/** An opening that is recorded, less one that is not and a round trip to Redis. */
async function timeToFirstByte({ child, urls: [url = ''] }: Gateway): Promise<Figure> {
  const connection = new Connection(url);
  const times = { recorded: [] as number[], not: [] as number[] };
  for (let turn = -LATENCIES / 4; turn < LATENCIES; turn += 1) {
    const recorded = turn % 2 === 0;
    const began = performance.now();
    expectSuccess(await connection.ask(initialize(recorded ? '/mcp' : '/mcp?stateless')));
    if (turn >= 0) times[recorded ? 'recorded' : 'not'].push(performance.now() - began);
  }
  const trip = median(await askProcess<number[]>(child, 'pings'));
  connection.close();
  child.disconnect();
  return {
    ...{
      id: 'P5',
      what: 'initialize: time to first byte that recording adds to a round trip to Redis',
    },
    ...{ value: median(times.recorded) - median(times.not) - trip, unit: 'ms', atMost: 0.3 },
  };
}

/**
 * One gateway with so many connections and requests, and two of which each has as many: with fewer it would wake up
 * for fewer requests at a time, which costs more whatever the store does.
 */
async function twoGateways(gateways: readonly Gateway[]): Promise<Figure> {
  const connections = gateways.map(({ urls: [url = ''] }) =>
    Array.from({ length: CONNECTIONS }, () => new Connection(url)),
  );
  const [one = [], other = []] = connections;
  const ids: string[] = [];
  for (let at = 0; at < 100; at += 1) {
    const opener = (at % 2 === 0 ? one : other)[0];
    if (opener) ids.push(sessionOf(await opener.ask(initialize())));
  }
  const ask = async (connection: Connection, at: number): Promise<void> =>
    expectSuccess(await connection.ask(call(ids[at % ids.length] ?? '')));
  const cost = async (used: readonly Connection[]): Promise<number> => {
    const requests = (REQUESTS / CONNECTIONS) * used.length;
    const before = await cpuOfAll(gateways);
    await spread(used, requests, ask);
    return ((await cpuOfAll(gateways)) - before) / requests;
  };
  const both = [...one, ...other];
  const ratios: number[] = [];
  for (let round = -4; round < ROUNDS; round += 1) {
    const alone = await cost(round % 2 === 0 ? one : other);
    const shared = await cost(both);
    if (round >= 0) ratios.push(shared / alone);
  }
  for (const connection of connections.flat()) connection.close();
  for (const { child } of gateways) child.disconnect();
  return {
    ...{ id: 'P8', what: 'CPU time per request, two gateways on one Redis against one' },
    ...{ value: median(ratios), unit: 'x', atMost: 1.1 },
  };
}

async function cpuOfAll(gateways: readonly Gateway[]): Promise<number> {
  let sum = 0;
  for (const { child } of gateways) {
    const { user, system } = await askProcess<NodeJS.CpuUsage>(child, 'cpu');
    sum += user + system;
  }
  return sum;
}

/** Requests per second over so many sessions, each as likely as any other. */
async function sessions(
  redis: Redis,
  { child, urls: [url = ''] }: Gateway,
  backendUrl: string,
): Promise<{ table: Table; figures: Figure[] }> {
  const client = new Client(redis.url);
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(url));
  const rate = async (among: number): Promise<number> => {
    const began = performance.now();
    await spread(connections, REQUESTS, async (connection) => {
      const id = idOf(Math.floor(Math.random() * among));
      expectSuccess(await connection.ask(call(id)));
    });
    return (REQUESTS / (performance.now() - began)) * 1000;
  };
  const [few = 0] = SCALES;
  /** What was asked for in between has taken their places in the cache. */
  const cacheAgain = (among: number): Promise<void> =>
    spread(connections, among, async (connection, at) =>
      expectSuccess(await connection.ask(call(idOf(at)))),
    );
  const rows: string[][] = [];
  let stored = 0;
  let [most, cached] = [0, 0];
  for (const scale of SCALES) {
    await fill(new RedisStore({ client }), stored, scale, backendUrl);
    stored = scale;
    const [rates, base, inCache]: number[][] = [[], [], []];
    // In turns with the smallest, since the machine is not the same for long.
    for (let round = -4; round < ROUNDS; round += 1) {
      const before = await rate(few);
      const b = await rate(scale);
      await cacheAgain(Math.min(scale, CACHED));
      const c = await rate(Math.min(scale, CACHED));
      // From both sides: nothing may be told of a place in the round.
      const a = (before + (await rate(few))) / 2;
      if (round < 0) continue;
      base?.push(a);
      rates?.push(b / a);
      inCache?.push(c / a);
    }
    most = median(rates ?? []);
    cached = median(inCache ?? []);
    rows.push([scale.toLocaleString('en'), shown(median(base ?? []) * most, ''), shown(most, 'x')]);
  }
  for (const connection of connections) connection.close();
  child.disconnect();
  client.disconnect();
  const count = stored.toLocaleString('en');
  const against = `requests per second with ${count} sessions stored, against ${few}`;
  return {
    table: {
      title: 'Sessions in Redis, each as likely to be asked for as any other; 10,000 are cached',
      head: ['sessions', 'requests per second', `against ${few}`],
      rows,
    },
    figures: [
      { id: 'P6', what: against, value: most, unit: 'x', atLeast: 0.6 },
      {
        ...{ id: 'P6', what: `the same, if ${CACHED.toLocaleString('en')} of them are asked for` },
        ...{ value: cached, unit: 'x', atLeast: 0.97 },
      },
    ],
  };
}

async function fill(
  to: RedisStore,
  from: number,
  until: number,
  backendUrl: string,
): Promise<void> {
  for (let at = from; at < until; at += WRITTEN_AT_ONCE) {
    const last = Math.min(until, at + WRITTEN_AT_ONCE);
    const writing: Promise<unknown>[] = [];
    for (let one = at; one < last; one += 1) {
      const key = keyOf(idOf(one));
      const record = newRecord({ key, nonce: String(one), backendUrl, path: '/mcp' });
      writing.push(to.create(key, record, TTL + 12 * TTL));
    }
    await Promise.all(writing);
  }
}

function idOf(at: number): string {
  return `bench-${at}`;
}
