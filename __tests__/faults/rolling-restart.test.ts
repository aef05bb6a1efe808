import { expect, jest, test } from '@jest/globals';
import type { BackendEntry } from '../../src/index.ts';
import { ask, INITIALIZE } from '../helpers/fault-client.ts';
import {
  portOf,
  startFleet,
  startWorkers,
  type Fleet,
  type Workers,
} from '../helpers/fault-fleet.ts';
import { FAULTLESS, judgeServers } from '../helpers/fault-history.ts';
import { entryOf, type FaultServer } from '../helpers/fault-servers.ts';
import { FULL, show } from '../helpers/fault-size.ts';
import { Way } from '../helpers/fault-way.ts';
import { until } from '../helpers/until.ts';

jest.setTimeout(FULL ? 600_000 : 120_000);

const WORKERS = 16;
/** Each gateway, and each server, is restarted so often. */
const ROUNDS = FULL ? 3 : 1;
/** Calls between two steps. */
const CALLS = FULL ? 1000 : 60;

test('a rolling restart of two gateways loses no session and fails no call', async () => {
  const fleet = await startFleet();
  const workers = await startWorkers(WORKERS, fleet);
  const opened = workers.clients.map(({ session }) => session);
  for (let round = 0; round < ROUNDS; round += 1) await restartGateways(fleet, workers);
  await workers.stop();

  expect(workers.clients.map(({ session }) => session)).toEqual(opened);
  expect(workers.clients.flatMap(({ failed }) => failed)).toEqual([]);
  expect(judgeServers(fleet.servers.history())).toEqual(FAULTLESS);
  show(
    `rolling restart of two gateways, ${ROUNDS} times, ${WORKERS} workers: ${workers.calls} calls answered, ` +
      '0 failed, 0 sessions lost, 0 executed twice',
  );
});

test('a rolling restart of three servers that drain, and of two gateways, costs their own sessions only', async () => {
  const fleet = await startFleet();
  const workers = await startWorkers(WORKERS, fleet);
  for (let round = 0; round < ROUNDS; round += 1) {
    await restartServers(fleet, workers, round);
    await restartGateways(fleet, workers);
  }
  await workers.stop();

  const failed = workers.clients.flatMap((client) => client.failed);
  const hit = new Set(failed.map(({ of }) => of));
  const told = workers.clients.flatMap(({ lost }) => [...lost.keys()]);
  const over = new Set([...told, ...hit]);
  const clean = [...over].filter((session) => !hit.has(session));
  expect(judgeServers(fleet.servers.history())).toEqual(FAULTLESS);
  // What was under way when its server ended, and no other call.
  expect(failed.map(({ status }) => status)).toEqual(failed.map(() => 502));
  expect(failed).toHaveLength(hit.size);
  expect(clean.length / over.size).toBeGreaterThan(0.9);
  show(
    `rolling restart of three draining servers and two gateways, ${ROUNDS} times, ${WORKERS} workers: ` +
      `${workers.calls} calls answered, 0 executed twice; ${clean.length} of ${over.size} sessions ` +
      `(${((100 * clean.length) / over.size).toFixed(1)} %) that lost their server were opened again without a ` +
      `failed call, ${failed.length} calls under way got 502`,
  );
});

async function restartGateways(fleet: Fleet, workers: Workers): Promise<void> {
  for (const gateway of fleet.gateways) {
    await fleet.balancer.remove(portOf(gateway));
    await gateway.child.stop();
    await someCalls(workers);
    const next = await fleet.startGateway();
    fleet.balancer.add(portOf(next));
    fleet.gateways = fleet.gateways.map((each) => (each === gateway ? next : each));
    await someCalls(workers);
  }
}

/** One after the other: it drains, its process ends, another one comes in its place. */
async function restartServers(fleet: Fleet, workers: Workers, round: number): Promise<void> {
  for (const server of fleet.running) {
    const [name] = server.id;
    list(fleet, server, { ...entryOf(server), draining: true });
    await until(async () => !(await opensAt(fleet)).has(server.id));
    await someCalls(workers);
    await server.stop();
    const next = await fleet.servers.start(`${name}${round + 1}`, server.port);
    list(fleet, server, entryOf(next));
    fleet.running = fleet.running.map((each) => (each === server ? next : each));
    await until(async () => (await opensAt(fleet)).has(next.id));
    await someCalls(workers);
  }
}

function list(fleet: Fleet, server: FaultServer, entry: BackendEntry): void {
  fleet.file.write(fleet.running.map((each) => (each === server ? entry : entryOf(each))));
}

/** Where both gateways open sessions now. */
async function opensAt(fleet: Fleet): Promise<Set<string | undefined>> {
  const ways = fleet.gateways.flatMap(({ url }) => Array.from({ length: 3 }, () => new Way(url)));
  const answers = await Promise.all(ways.map((way) => ask(way, undefined, INITIALIZE)));
  return new Set(answers.map(({ session }) => session?.split('.')[0]));
}

async function someCalls(workers: Workers): Promise<void> {
  const enough = workers.calls + CALLS;
  await until(() => workers.calls >= enough);
}
