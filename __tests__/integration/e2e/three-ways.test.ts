import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  MemoryStore,
  recommendedRedisOptions,
  RedisStore,
  type StoreLike,
} from '../../../src/index.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import { type Backends, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import { type ClientKind, createClient } from '../../helpers/e2e-clients.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { closeAll, createFleet, drive, note, openAll, post } from '../../helpers/e2e-runs.ts';
import { type Gateway, gateway } from '../../helpers/gateway.ts';
import { sharedRedisUrl } from '../../helpers/redis-server.ts';

let backends: Backends;

beforeAll(async () => {
  backends = await startBackends('SDK v2');
});

jest.setTimeout(120_000);
afterAll(killChildren);

/** A store, and how often it was asked for a session. */
interface WatchedStore {
  readonly store: StoreLike;
  readonly reads: () => number;
}

function watchedMemory(): WatchedStore {
  let reads = 0;
  class Watched extends MemoryStore {
    override getWithExpiry(id: string): ReturnType<MemoryStore['getWithExpiry']> {
      reads += 1;
      return super.getWithExpiry(id);
    }
  }
  return { store: new Watched(), reads: () => reads };
}

async function watchedRedis(): Promise<WatchedStore> {
  const client = new Redis(await sharedRedisUrl(), { ...recommendedRedisOptions });
  onCleanup(() => client.disconnect());
  let reads = 0;
  class Watched extends RedisStore {
    override getWithExpiry(id: string): ReturnType<RedisStore['getWithExpiry']> {
      reads += 1;
      return super.getWithExpiry(id);
    }
  }
  return { store: new Watched({ client, prefix: `${randomUUID()}:` }), reads: () => reads };
}

describe.each<[string, () => WatchedStore | Promise<WatchedStore>]>([
  ['memory', watchedMemory],
  ['Redis', watchedRedis],
])('three ways through a gateway, store: %s', (_title, watch) => {
  async function start(): Promise<{
    url: string;
    reads: () => number;
    sessions: Gateway['sessions'];
  }> {
    const { store, reads } = await watch();
    const options = { backends: [...backends.origins.values()] };
    const { url, sessions } = await gateway({ store, options });
    await sessions.ready();
    return { url, reads, sessions };
  }

  it('sessions of Streamable HTTP go through the guard', async () => {
    const { url, sessions } = await start();
    const fleet = createFleet(6, `${url}/mcp`);
    const ids = await openAll(fleet);
    await expect(drive(fleet, 3)).resolves.toEqual({ answered: 18, complaints: [] });
    await fleet[0]?.terminate();
    await closeAll(fleet);

    const asked = [ids[0], ids[1], randomUUID()].map((id) => post(`${url}/mcp`, id));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses).toEqual([404, 200, 400]);
    const { ownCalls, astray, repeated } = judge(backends.history());
    expect([ownCalls(ids), astray, repeated]).toEqual([19, [], []]);
    expect(sessions.stats()).toMatchObject({ opened: 6, ended: 1 });
  });

  it('requests without a session pass, balanced, and the store is never asked', async () => {
    const { url, reads } = await start();
    const before = reads();
    const discovered: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const response = await fetch(`${url}/.well-known/oauth-protected-resource`);
      discovered.push(((await response.json()) as { instance: string }).instance);
    }
    expect(discovered.toSorted()).toEqual(['a', 'b', 'c']);

    const preflights: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const { status, headers } = await fetch(`${url}/mcp`, { method: 'OPTIONS' });
      preflights.push(`${status} ${headers.get('x-instance')}`);
    }
    expect(preflights.toSorted()).toEqual(['204 a', '204 b', '204 c']);

    const asked = await Promise.all([askStateless('SDK v1', url), askStateless('SDK v2', url)]);
    expect(asked.map((instances) => instances.size)).toEqual([3, 3]);
    expect(reads()).toBe(before);
  });

  it('live streams are counted where they are, and end apart from their sessions', async () => {
    const { url, sessions } = await start();
    const fleet = createFleet(4, `${url}/mcp`);
    const ids = await openAll(fleet);
    await Promise.all(fleet.map((client) => client.listening()));
    await until(() => sessions.stats().streams === 4);

    await closeAll(fleet.slice(0, 2));
    await until(() => sessions.stats().streams === 2);
    const responses = await Promise.all(ids.map((id) => post(`${url}/mcp`, id)));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await Promise.all(responses.map((response) => response.text()));

    await expect(sessions.end(ids[3] ?? '')).resolves.toBe(true);
    await until(() => sessions.stats().streams === 1);
    const { status } = await post(`${url}/mcp`, ids[3]);
    expect(status).toBe(404);
    await closeAll(fleet);
    await until(() => sessions.stats().streams === 0);
  });
});

/** The servers that answer the calls of one client, where SDK v2 serves as it does when nothing is said. */
async function askStateless(kind: ClientKind, url: string): Promise<Set<string>> {
  const client = createClient(kind, `${url}/stateless`);
  await client.open();
  expect(client.session()).toBeUndefined();
  const notes = await Promise.all(Array.from({ length: 12 }, () => note(client)));
  await client.close();
  return new Set(notes.map(({ instance }) => instance));
}

/** Whether it comes true: the test's own time is the limit. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5);
}
