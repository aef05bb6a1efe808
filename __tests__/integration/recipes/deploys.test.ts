import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, expect, test } from '@jest/globals';
import {
  counterServers,
  openCounting,
  type CounterServer,
  type CountingClient,
} from '../../helpers/counter-server.ts';
import { deferred } from '../../helpers/deferred.ts';
import { blockOf, replaced } from '../../helpers/markdown.ts';
import { call, openStream } from '../../helpers/mcp-client.ts';
import { sharedRedisUrl } from '../../helpers/redis-server.ts';
import { PATIENT, runRecipe, type RunningRecipe } from '../../helpers/run-recipe.ts';
import { until } from '../../helpers/until.ts';

/** How long a gateway waits for the load balancer (ms), in place of ten seconds. */
const NOTICED = '3_000';

let servers: CounterServer[];
beforeEach(async () => {
  servers = await counterServers(2);
});

/** `backends.json` as the page has it, with addresses of ours. */
function listed(replace: Readonly<Record<string, string>> = {}): string {
  const [zero, one] = servers;
  return replaced(blockOf('deploys', 'json'), {
    'http://mcp-0:8080': zero?.origin ?? '',
    'http://mcp-1:8080': one?.origin ?? '',
    ...replace,
  });
}

const NOT_DRAINING = { ', "draining": true': '' };

async function start(backends = listed(NOT_DRAINING)): Promise<RunningRecipe> {
  const redis = { ...PATIENT, 'redis://redis:6379': await sharedRedisUrl() };
  const replace = { ...redis, '10_000': NOTICED };
  const gateway = await runRecipe('deploys', { replace, files: { 'backends.json': backends } });
  await until(() => isReady(gateway));
  return gateway;
}

/** As the page says: under another name, then renamed. */
function relist({ folder }: RunningRecipe, backends: string): void {
  writeFileSync(path.join(folder, 'backends.new'), backends);
  renameSync(path.join(folder, 'backends.new'), path.join(folder, 'backends.json'));
}

async function isReady({ origin }: RunningRecipe): Promise<boolean> {
  return (await fetch(`${origin}/readyz`)).status === 200;
}

test('a gateway that is told to stop finishes its calls and ends its streams', async () => {
  const gateway = await start();
  const client = await openCounting(gateway.origin);
  await client.listening();
  const other = await openCounting(gateway.origin);
  const stream = await openStream({ url: gateway.origin }, other.session());
  const [called, answer] = [deferred(), deferred()];
  for (const server of servers)
    server.before = () => {
      called.resolve();
      return answer.promise;
    };
  const underWay = client.count();
  await called.promise;

  const stopped = gateway.stop();
  await until(async () => !(await isReady(gateway)));
  expect((await call({ url: gateway.origin }, 'never-issued')).status).toBe(404);
  expect(await stream.closed).toBe('end');
  answer.resolve();
  expect(await underWay).toMatch(/ 1$/);
  await stopped;
  expect(await gateway.exited).toEqual([0, null]);
});

test('no call fails while both gateways are replaced', async () => {
  const gateways = [await start(), await start()];
  // A load balancer that heeds /readyz: each request goes to the next one that is ready.
  const ready = new Set(gateways);
  let turn = 0;
  const next = (): string => [...ready][turn++ % ready.size]?.origin ?? '';
  const clients = await Promise.all(Array.from({ length: 8 }, () => openCounting(next())));
  let going = true;
  const work = Promise.all(clients.map((client) => callUntil(() => !going, client, next)));
  for (const old of gateways) {
    const stopped = old.stop();
    await until(async () => !(await isReady(old)));
    ready.delete(old);
    await stopped;
    expect(await old.exited).toEqual([0, null]);
    ready.add(await start());
  }
  going = false;
  expect(Math.min(...(await work))).toBeGreaterThan(0);
});

/** Calls one after the other; each counts on from the one before, so none failed and none came twice. */
async function callUntil(
  done: () => boolean,
  client: CountingClient,
  next: () => string,
): Promise<number> {
  let calls = 0;
  while (!done()) {
    client.at = next();
    const [, count] = (await client.count()).split(' ');
    calls += 1;
    expect(Number(count)).toBe(calls);
    // As clients do, which leaves the processor to the gateways that start.
    await pause(20);
  }
  return calls;
}

test('a server that drains gets no new sessions and keeps its own; as another one it has none', async () => {
  const gateway = await start();
  const clients = [await openCounting(gateway.origin), await openCounting(gateway.origin)];
  const counts = await Promise.all(clients.map((client) => client.count()));
  const old = clients[counts.indexOf('mcp-0 1')] as CountingClient;

  relist(gateway, listed());
  const opened = async (): Promise<string> => (await openCounting(gateway.origin)).count();
  await until(async () => {
    const last = [await opened(), await opened(), await opened()];
    return last.every((count) => count === 'mcp-1 1');
  });
  expect(await old.count()).toBe('mcp-0 2');

  relist(gateway, listed({ ...NOT_DRAINING, 'mcp-0-a1': 'mcp-0-a2' }));
  await until(
    async () => (await call({ url: gateway.origin }, old.session() ?? '')).status === 404,
  );
  expect([await opened(), await opened()].toSorted((a, b) => a.localeCompare(b))).toEqual([
    'mcp-0 1',
    'mcp-1 1',
  ]);
});
