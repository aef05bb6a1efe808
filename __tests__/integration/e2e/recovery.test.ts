import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { onCleanup } from '../../helpers/cleanup.ts';
import { startBackends, type Backends, type ServerKind } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import type { RealClient } from '../../helpers/e2e-clients.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { closeAll, createFleet, note, openAll, show } from '../../helpers/e2e-runs.ts';
import { gateway } from '../../helpers/gateway.ts';

jest.setTimeout(120_000);
afterAll(killChildren);

const CLIENTS = 6;

interface Run {
  readonly backends: Backends;
  readonly clients: readonly RealClient[];
  readonly sessions: readonly string[];
}

/** Six real clients on three real servers, behind a gateway that recovers. */
async function start(kind: ServerKind): Promise<Run> {
  const backends = await startBackends(kind);
  onCleanup(() => backends.stop());
  const options = { backends: [...backends.origins.values()], recover: true };
  const gw = await gateway({ options });
  const clients = createFleet(CLIENTS, `${gw.url}/mcp`);
  onCleanup(() => closeAll(clients));
  return { backends, clients, sessions: await openAll(clients) };
}

describe.each<[ServerKind]>([['SDK v1'], ['SDK v2']])('recover: servers of %s', (kind) => {
  it('clients of a server that was killed go on, under their ids, and nothing runs twice', async () => {
    const { backends, clients, sessions } = await start(kind);
    const { owners } = judge(backends.history());
    const lost = sessions.filter((session) => owners.get(session) === 'a');
    await backends.kill('a');
    const calls = clients.flatMap((client) => [note(client), note(client), note(client)]);
    await Promise.all(calls);
    expect(clients.map((client) => client.session())).toEqual(sessions);
    const { repeated, owners: after } = judge(backends.history());
    expect({ repeated, opened: after.size }).toEqual({
      repeated: [],
      opened: CLIENTS + lost.length,
    });
    show(
      `${lost.length} of ${CLIENTS} sessions lost and recovered, ${calls.length} calls answered`,
    );
  });
});
