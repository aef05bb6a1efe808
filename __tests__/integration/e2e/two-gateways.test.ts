import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Backends, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import { crossing } from '../../helpers/e2e-crossing.ts';
import {
  type GatewayProcess,
  startGateway as startGatewayProcess,
  startSlowTcp,
} from '../../helpers/e2e-gateways.ts';
import { judge } from '../../helpers/e2e-history.ts';
import {
  closeAll,
  createFleet,
  drive,
  INITIALIZE,
  openAll,
  post,
  show,
  SIZE,
  TOTAL,
} from '../../helpers/e2e-runs.ts';
import { type RedisServer, startRedis } from '../../helpers/redis-server.ts';

jest.setTimeout(120_000);

/** Milliseconds. */
const SLOW = 60;

let redis: RedisServer;
let backends: Backends;

let gateways: GatewayProcess[];

beforeAll(async () => {
  [redis, backends] = await Promise.all([startRedis(), startBackends('SDK v1')]);
  gateways = await Promise.all([startGateway(redis.port), startGateway(redis.port)]);
});

afterAll(async () => {
  await killChildren();
  await redis.stop();
});

function startGateway(redisPort: number): Promise<GatewayProcess> {
  const REDIS_URL = `redis://127.0.0.1:${redisPort}`;
  return startGatewayProcess({ BACKENDS: backends.list, REDIS_URL });
}

describe(`${SIZE.clients} clients, ${SIZE.calls} calls each, two gateways, one Redis`, () => {
  it('a session is at home on the gateway that did not open it, as soon as its id is known', async () => {
    const urls = gateways.map(({ url }) => url);
    await expect(openAndCross('two gateways', urls)).resolves.toEqual(AT_HOME);
  });

  it(`also when each answer of Redis takes ${SLOW} ms longer`, async () => {
    const slow = await startSlowTcp(redis.port, { answers: SLOW });
    const farther = await Promise.all([startGateway(slow.port), startGateway(slow.port)]);
    const urls = farther.map(({ url }) => url);
    const title = `two gateways, answers of Redis ${SLOW} ms later`;
    await expect(openAndCross(title, urls)).resolves.toEqual(AT_HOME);
    await Promise.all(farther.map(({ child }) => child.kill()));
  });

  // The other one asks Redis before the record can be there, unless the id is held back.
  it(`also when only one of them is ${SLOW} ms away from Redis`, async () => {
    const slow = await startSlowTcp(redis.port, { requests: SLOW, answers: SLOW });
    const far = await startGateway(slow.port);
    const urls = [far.url, gateways[0]?.url ?? ''];
    const title = `two gateways, one of them ${SLOW} ms away from Redis`;
    // A few at a time: a client that is busy is late itself.
    await expect(openAndCross(title, urls, 3)).resolves.toEqual(AT_HOME);
    await far.child.kill();
  });

  it('also when both gateways were killed, and started again', async () => {
    const urls = gateways.map(({ url }) => url);
    const ways = Array.from({ length: SIZE.clients }, (_, index) => crossing(urls, index));
    const fleet = createFleet(SIZE.clients, urls[0] ?? '', (index) => ways[index]?.fetch);
    const sessions = await openAll(fleet);
    await drive(fleet, 1);

    const kill = (): unknown => Promise.all(gateways.map(({ child }) => child.kill()));
    const seen = await openUntil(urls, SIZE.clients, kill);
    gateways = await Promise.all([startGateway(redis.port), startGateway(redis.port)]);
    urls.splice(0, urls.length, ...gateways.map(({ url }) => url));
    const before = judge(backends.history()).ownCalls(sessions);
    const began = performance.now();
    const { answered, complaints } = await drive(fleet, SIZE.calls);
    const took = performance.now() - began;
    await closeAll(fleet);

    const statuses = await Promise.all(
      seen.map(async (id) => (await post(urls[0] ?? '', id)).status),
    );
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    const { ownCalls, astray, repeated } = judge(backends.history());
    const own = ownCalls(sessions) - before;
    expect({ answered, own, complaints, astray, repeated }).toEqual(AT_HOME);
    show(
      `after kill -9 of both: ${own} of ${TOTAL} on their own backend, ${took.toFixed()} ms; ` +
        `and ${seen.length} of ${seen.length} sessions whose id was out when they were killed`,
    );
  });
});

/** Opens sessions, all at once, and strikes when some ids are out; all ids that came out, before or after. */
async function openUntil(
  urls: readonly string[],
  count: number,
  strike: () => unknown,
): Promise<string[]> {
  const seen: string[] = [];
  let struck: unknown;
  const openings = Array.from({ length: count }, async (_, index) => {
    const response = await post(urls[index % urls.length] ?? '', undefined, INITIALIZE);
    const session = response.headers.get('mcp-session-id');
    if (session !== null) seen.push(session);
    if (seen.length >= count / 4) struck ??= strike();
  });
  // Those that were under way when the gateways went have failed.
  await Promise.allSettled(openings);
  await struck;
  return seen;
}

interface Outcome {
  readonly answered: number;
  readonly own: number;
  readonly complaints: readonly string[];
  readonly astray: readonly string[];
  readonly repeated: readonly string[];
}

const AT_HOME: Outcome = {
  answered: TOTAL,
  own: TOTAL,
  complaints: [],
  astray: [],
  repeated: [],
};

async function openAndCross(
  title: string,
  urls: readonly string[],
  atOnce: number = SIZE.clients,
): Promise<Outcome> {
  const began = performance.now();
  const ways = Array.from({ length: SIZE.clients }, (_, index) => crossing(urls, index));
  const fleet = createFleet(SIZE.clients, urls[0] ?? '', (index) => ways[index]?.fetch);
  const sessions: string[] = [];
  for (let from = 0; from < fleet.length; from += atOnce) {
    sessions.push(...(await openAll(fleet.slice(from, from + atOnce))));
  }
  const firstCalls = await Promise.all(ways.map((way) => way.firstCall()));
  const refused = firstCalls.filter(
    ({ status, body }) => status !== 200 || !body.includes('"result"'),
  );
  const { answered, complaints } = await drive(fleet, SIZE.calls - 1);
  const took = performance.now() - began;
  await closeAll(fleet);

  const { ownCalls, astray, repeated } = judge(backends.history());
  const own = ownCalls(sessions);
  show(`${title}: ${own} of ${TOTAL} on their own backend, ${took.toFixed()} ms`);
  return {
    answered: answered + firstCalls.length - refused.length,
    own,
    complaints: [
      ...refused.map(({ status, body }) => `first call: ${status} ${body}`),
      ...complaints,
    ],
    astray,
    repeated,
  };
}
