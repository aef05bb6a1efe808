import { randomUUID } from 'node:crypto';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { type Backends, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import type { RealClient } from '../../helpers/e2e-clients.ts';
import { type GatewayProcess, startGateway } from '../../helpers/e2e-gateways.ts';
import { judge } from '../../helpers/e2e-history.ts';
import {
  closeAll,
  createFleet,
  drive,
  FULL,
  INITIALIZE,
  keepBusy,
  openAll,
  post,
  show,
  SIZE,
} from '../../helpers/e2e-runs.ts';
import { type RedisServer, startRedis } from '../../helpers/redis-server.ts';

jest.setTimeout(120_000);

/** What the project promises, in milliseconds. */
const REFUSED_WITHIN = 1500;
const HEALED_WITHIN = 5000;
/** How long the outage lasts: longer than the timers of the Redis client, so that each state of it is met. */
const OUTAGE = FULL ? 6000 : 2000;

let backends: Backends;
let redis: RedisServer;
let gateway: GatewayProcess;
let other: GatewayProcess;
/** Opened at `gateway`, which knows them. */
let known: RealClient[];
/** Opened at `other`: `gateway` has never heard of them. */
let strangers: string[];

beforeAll(async () => {
  [backends, redis] = await Promise.all([startBackends('SDK v1'), startRedis()]);
  const settings = { BACKENDS: backends.list, REDIS_URL: redis.url };
  // The same two see each outage, one after the other.
  [gateway, other] = await Promise.all([startGateway(settings), startGateway(settings)]);
});

beforeEach(async () => {
  known = createFleet(SIZE.clients, gateway.url);
  await openAll(known);
  const elsewhere = createFleet(10, other.url);
  strangers = await openAll(elsewhere);
  await closeAll(elsewhere);
});

afterEach(() => closeAll(known));

afterAll(async () => {
  await killChildren();
  await redis.kill();
});

describe.each<[string, () => unknown, () => unknown, number]>([
  ['is frozen, and goes on', () => redis.freeze(), () => redis.thaw(), 200],
  ['is killed, and comes back empty', () => redis.kill(), () => redis.restart(), 400],
])('Redis %s', (title, breakRedis, mendRedis, strangersAfterwards) => {
  it('what needs it gets 503 in time, all else is served, and it heals without a restart', async () => {
    // A few, so that it is the gateway that is measured, and not how long the machine is busy.
    const busy = keepBusy(known.slice(0, 5));
    await breakRedis();
    const { refusals, served } = await askDuringOutage();
    const cached = await drive(known, 1);
    const { answered, complaints } = await busy.stop();
    await mendRedis();
    const healed = await timeUntil(async () => (await askToOpen()).status === 200);

    const slowest = Math.max(...refusals.map(({ took }) => took));
    show(
      `Redis ${title}: ${refusals.length} refused with 503, the slowest after ${slowest.toFixed()} ms; ` +
        `${answered + cached.answered} calls of ${known.length} cached sessions and ` +
        `${served.length} requests without a session served; healed after ${healed.toFixed()} ms`,
    );
    const kinds = new Set(refusals.map(({ status, retryAfter }) => `${status}, ${retryAfter}`));
    expect(kinds).toEqual(new Set(['503, 1']));
    expect(slowest).toBeLessThan(REFUSED_WITHIN);
    expect([...cached.complaints, ...complaints]).toEqual([]);
    expect(cached.answered).toBe(known.length);
    expect(new Set(served)).toEqual(new Set([200, 204, 400]));
    expect(healed).toBeLessThan(HEALED_WITHIN);
    const statuses = await Promise.all(strangers.map((id) => statusOf(post(gateway.url, id))));
    expect(new Set(statuses)).toEqual(new Set([strangersAfterwards]));
    await expect(askUnknown()).resolves.toMatchObject({ status: 400 });
    expect(judge(backends.history())).toMatchObject({ astray: [], repeated: [] });
  });
});

async function askDuringOutage(): Promise<{ refusals: Refusal[]; served: number[] }> {
  const refusals: Refusal[] = [];
  const served: number[] = [];
  const began = performance.now();
  while (performance.now() - began < OUTAGE) {
    const [refused, answered] = await Promise.all([
      Promise.all([askUnknown(), askStranger(), askToOpen()]),
      askWithoutSession(),
    ]);
    refusals.push(...refused);
    served.push(...answered);
  }
  return { refusals, served };
}

interface Refusal {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly took: number;
}

function askUnknown(): Promise<Refusal> {
  return timed(post(gateway.url, randomUUID()));
}

/** Each time another one: a session that was asked for may be known from then on. */
function askStranger(): Promise<Refusal> {
  const session = strangers.shift() ?? '';
  strangers.push(session);
  return timed(post(gateway.url, session));
}

function askToOpen(): Promise<Refusal> {
  return timed(post(gateway.url, undefined, INITIALIZE));
}

async function askWithoutSession(): Promise<number[]> {
  return Promise.all([
    statusOf(fetch(new URL('/.well-known/oauth-protected-resource', gateway.url))),
    statusOf(fetch(gateway.url, { method: 'OPTIONS' })),
    // A stateful server refuses it; that it does shows that it was asked.
    statusOf(post(gateway.url, undefined)),
  ]);
}

async function timed(request: Promise<Response>): Promise<Refusal> {
  const began = performance.now();
  const response = await request;
  await response.text();
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    took: performance.now() - began,
  };
}

async function statusOf(request: Promise<Response>): Promise<number> {
  const response = await request;
  await response.text();
  return response.status;
}

async function timeUntil(holds: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  while (!(await holds())) {
    if (performance.now() - began > 20_000) throw new Error('it has not come true within 20 s');
  }
  return performance.now() - began;
}
