import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { onCleanup } from '../../helpers/cleanup.ts';
import { type Backends, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import { type ClientKind, createClient, type RealClient } from '../../helpers/e2e-clients.ts';
import { exercise, MODERN, modernRequests, unevenness } from '../../helpers/e2e-eras.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { closeAll, FULL, openAll, show } from '../../helpers/e2e-runs.ts';
import { useTask } from '../../helpers/e2e-tasks.ts';
import { gateway } from '../../helpers/gateway.ts';

jest.setTimeout(300_000);
afterAll(killChildren);

const CALLS = 10;
const SIZE = FULL
  ? { sse: 20, sessions: 50, modern: 50, tasks: 20 }
  : { sse: 5, sessions: 12, modern: 12, tasks: 5 };

interface Run {
  readonly backends: Backends;
  readonly sse: readonly RealClient[];
  readonly sessions: readonly RealClient[];
  readonly modern: readonly RealClient[];
  readonly tasks: readonly string[];
  readonly complaints: readonly string[];
}

/** All of them at the same time, through one gateway. */
async function runAll(): Promise<Run> {
  const backends = await startBackends('every era');
  onCleanup(() => backends.stop());
  const options = {
    ...{ backends: [...backends.origins.values()], sse: true },
    affinity: { tasks: true },
  };
  const { url } = await gateway({ options });
  const of = (count: number, path: string, kinds: ClientKind[]): RealClient[] =>
    Array.from({ length: count }, (_, index) =>
      createClient(kinds[index % kinds.length] ?? 'SDK v1', url + path, {
        name: `${path} ${kinds.join()} ${index}`,
      }),
    );
  const sse = of(SIZE.sse, '/sse', ['SDK v1 SSE', 'SDK v2 SSE']);
  const sessions = of(SIZE.sessions, '/mcp', ['SDK v1', 'SDK v2']);
  const modern = of(SIZE.modern, '/mcp', ['SDK v2 auto', 'SDK v2 2026-07-28']);
  const clients = [...sse, ...sessions, ...modern];
  const users = Array.from({ length: SIZE.tasks }, () => useTask(`${url}/mcp`, CALLS));
  await openAll(clients);
  const complaints = await Promise.all(clients.map((client) => exercise(client, CALLS)));
  const used = await Promise.all(users);
  await closeAll(clients);
  return {
    ...{ backends, sse, sessions, modern },
    tasks: used.map(({ task }) => task),
    complaints: [...complaints.flat(), ...used.flatMap((each) => each.complaints)],
  };
}

describe(`${Object.values(SIZE).join(', ')} users of four eras at once, three servers`, () => {
  it('every stateful call is at home, modern calls are spread evenly, and nobody sees an error', async () => {
    const began = performance.now();
    const { backends, sse, sessions, modern, tasks, complaints } = await runAll();
    const took = performance.now() - began;
    const history = backends.history();
    const { owners, ownCalls, astray, repeated } = judge(history);
    const ids = (fleet: readonly RealClient[]): string[] =>
      fleet.map((client) => client.session() ?? '');

    expect({ complaints, astray, repeated }).toEqual({ complaints: [], astray: [], repeated: [] });
    expect(new Set(modern.map((client) => client.revision()))).toEqual(new Set([MODERN]));
    expect(ownCalls(ids(sse))).toBe(SIZE.sse * CALLS);
    expect(ownCalls(ids(sessions))).toBe(SIZE.sessions * CALLS);
    expect(ownCalls(tasks, 'tasks/get')).toBe(SIZE.tasks * CALLS);
    for (const stateful of [ids(sse), ids(sessions), tasks]) {
      expect(new Set(stateful.map((id) => owners.get(id)))).toEqual(new Set('abc'));
    }
    const spread = modernRequests(history);
    expect(unevenness(spread)).toBeLessThan(0.1);
    show(
      `all eras at once: ${ownCalls([...ids(sse), ...ids(sessions)]) + SIZE.tasks * CALLS} stateful ` +
        `calls at home, modern requests spread ${[...spread.values()].join(', ')}, no error, ` +
        `${took.toFixed()} ms`,
    );
  });
});
