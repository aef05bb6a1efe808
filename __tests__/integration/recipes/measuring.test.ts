import { expect, test } from '@jest/globals';
import { addressesOf, counterServers, openCounting } from '../../helpers/counter-server.ts';
import { call } from '../../helpers/mcp-client.ts';
import { runRecipe, type RunningRecipe } from '../../helpers/run-recipe.ts';
import { until } from '../../helpers/until.ts';

type Line = Readonly<Record<string, unknown>>;

/** The lines that are complete. */
function linesOf(gateway: RunningRecipe): Line[] {
  const [, ...lines] = gateway.output().split('\n').toReversed();
  return lines.map((line) => JSON.parse(line) as Line);
}

test('each request is a line, the counters are one from time to time, and no id is in them', async () => {
  const servers = await counterServers(2);
  const replace = { ...addressesOf(servers), '60_000': '100' };
  const gateway = await runRecipe('measuring', { replace });
  const client = await openCounting(gateway.origin);
  const [name = ''] = (await client.count()).split(' ');
  await call({ url: gateway.origin }, 'never-issued');
  const id = client.session() ?? '';
  await client.terminate();
  await client.close();

  const backend = servers.find((server) => server.name === name)?.origin;
  await until(() => linesOf(gateway).some(({ ended, streams }) => ended === 1 && streams === 0));
  const lines = linesOf(gateway);
  const session = lines.find(({ event }) => event === 'opened')?.session;
  expect(session).toMatch(/^[\da-f]{12}$/);
  expect(lines).toEqual(
    expect.arrayContaining([
      { event: 'opened', session, backend },
      { event: 'ended', session },
      expect.objectContaining({ event: 'refused', reason: 'unknown_session' }),
      { method: 'POST', status: 200, ms: expect.any(Number), kind: 'open', backend },
      { method: 'POST', status: 200, ms: expect.any(Number), kind: 'pinned', backend, session },
      { method: 'DELETE', status: 200, ms: expect.any(Number), kind: 'pinned', backend, session },
      { method: 'POST', status: 400, ms: expect.any(Number) },
      expect.objectContaining({
        ...{ opened: 1, ended: 1, refused: { unknown_session: 1 } },
        backends: expect.arrayContaining([expect.objectContaining({ url: backend, opened: 1 })]),
      }),
    ]),
  );
  expect(gateway.output()).not.toContain(id);
  expect(gateway.output()).not.toContain('never-issued');
});

test('a server that dies is told', async () => {
  const servers = await counterServers(2);
  const gateway = await runRecipe('measuring', { replace: addressesOf(servers) });
  const client = await openCounting(gateway.origin);
  const [name] = (await client.count()).split(' ');
  const owner = servers.find((server) => server.name === name);
  await owner?.close();
  await client.close();
  expect((await call({ url: gateway.origin }, client.session() ?? '')).status).toBe(404);
  await until(() => linesOf(gateway).some(({ event }) => event === 'backendDown'));
  expect(linesOf(gateway)).toContainEqual({ event: 'backendDown', backend: owner?.origin });
});
