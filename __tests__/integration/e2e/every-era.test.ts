import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Backends, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import { type ClientKind, createClient, type RealClient } from '../../helpers/e2e-clients.ts';
import { exercise, MODERN, modernRequests, unevenness } from '../../helpers/e2e-eras.ts';
import { startGateway } from '../../helpers/e2e-gateways.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { closeAll, openAll } from '../../helpers/e2e-runs.ts';

jest.setTimeout(120_000);
afterAll(killChildren);

const CLIENTS = 6;
const CALLS = 8;

let backends: Backends;
let mcp: string;
let sse: string;

beforeAll(async () => {
  backends = await startBackends('every era');
  const { url } = await startGateway({ BACKENDS: backends.list });
  [mcp, sse] = [url, url.replace('/mcp', '/sse')];
});

/** Six of a kind at the same time; what went wrong. */
async function run(kind: ClientKind, url: string): Promise<[RealClient[], string[]]> {
  const fleet = Array.from({ length: CLIENTS }, (_, index) =>
    createClient(kind, url, { name: `client ${index}` }),
  );
  await openAll(fleet);
  const complaints = await Promise.all(fleet.map((client) => exercise(client, CALLS)));
  await closeAll(fleet);
  return [fleet, complaints.flat()];
}

/** By the log of the servers. */
function homes(fleet: readonly RealClient[]): { owners: Set<string | undefined>; calls: number } {
  const { owners, ownCalls } = judge(backends.history());
  const sessions = fleet.map((client) => client.session() ?? '');
  return {
    owners: new Set(sessions.map((session) => owners.get(session))),
    calls: ownCalls(sessions),
  };
}

describe('three servers of every era behind the gateway', () => {
  it.each<[ClientKind]>([['SDK v1'], ['SDK v2']])(
    'clients with sessions, %s: each call is at home',
    async (kind) => {
      const [fleet, complaints] = await run(kind, mcp);
      expect(complaints).toEqual([]);
      expect(homes(fleet)).toEqual({ owners: new Set('abc'), calls: CLIENTS * CALLS });
    },
  );

  it.each<[ClientKind]>([['SDK v1 SSE'], ['SDK v2 SSE']])(
    'clients of HTTP+SSE, %s: each call is at home',
    async (kind) => {
      const [fleet, complaints] = await run(kind, sse);
      expect(complaints).toEqual([]);
      expect(homes(fleet)).toEqual({ owners: new Set('abc'), calls: CLIENTS * CALLS });
    },
  );

  it.each<[ClientKind]>([['SDK v2 auto'], ['SDK v2 2026-07-28']])(
    'clients of 2026-07-28, %s: each call is anywhere, and as many are everywhere',
    async (kind) => {
      const before = modernRequests(backends.history());
      const [fleet, complaints] = await run(kind, mcp);
      expect(complaints).toEqual([]);
      expect(fleet.map((client) => [client.revision(), client.session()])).toEqual(
        fleet.map(() => [MODERN, undefined]),
      );
      const since = modernRequests(backends.history());
      for (const [name, count] of before) since.set(name, (since.get(name) ?? 0) - count);
      expect(unevenness(since)).toBeLessThan(0.1);
    },
  );

  it('nothing went astray, and nothing was called twice', () => {
    const { astray, repeated } = judge(backends.history());
    expect({ astray, repeated }).toEqual({ astray: [], repeated: [] });
  });
});

describe('three servers that know sessions only', () => {
  let older: Backends;

  beforeAll(async () => {
    older = await startBackends('every era', { ERA: 'legacy' });
  });

  it('a client that asks falls back to a session, and each call is at home', async () => {
    const { url } = await startGateway({ BACKENDS: older.list });
    const [fleet, complaints] = await run('SDK v2 auto', url);
    expect(complaints).toEqual([]);
    const { owners, ownCalls, astray } = judge(older.history());
    const sessions = fleet.map((client) => client.session() ?? '');
    expect(new Set(sessions.map((session) => owners.get(session)))).toEqual(new Set('abc'));
    expect([ownCalls(sessions), astray]).toEqual([CLIENTS * CALLS, []]);
  });

  it.each<[ClientKind]>([['SDK v2 auto'], ['SDK v2 2026-07-28']])(
    'and one of every era: clients of 2026-07-28, %s, are never refused',
    async (kind) => {
      const newer = await older.start(kind, { ERA: 'both' });
      const { url } = await startGateway({ BACKENDS: `${older.list},${newer}` });
      const [fleet, complaints] = await run(kind, url);
      expect(complaints).toEqual([]);
      expect(new Set(fleet.map((client) => client.revision()))).toEqual(new Set([MODERN]));
    },
  );
});
