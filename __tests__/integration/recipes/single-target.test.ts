import { expect, test } from '@jest/globals';
import { addressesOf, counterServers, openCounting } from '../../helpers/counter-server.ts';
import { call } from '../../helpers/mcp-client.ts';
import { sharedRedisUrl } from '../../helpers/redis-server.ts';
import {
  PATIENT,
  runRecipe,
  type RecipeOptions,
  type RunningRecipe,
} from '../../helpers/run-recipe.ts';
import { until } from '../../helpers/until.ts';

/** A gateway of the page whose Redis answers. */
async function start(options: RecipeOptions): Promise<RunningRecipe> {
  const gateway = await runRecipe('single-target', options);
  await until(async () => (await call({ url: gateway.origin }, 'any')).status !== 503);
  return gateway;
}

test('from one server to two in two steps, sessions of before and of between go on', async () => {
  const servers = await counterServers(2);
  const [zero] = servers;
  const { 'http://mcp-0:8080': first = '', ...second } = addressesOf(servers);
  const replace = {
    ...PATIENT,
    'http://mcp-0:8080': first,
    'redis://redis:6379': await sharedRedisUrl(),
  };

  const before = await openCounting(zero?.origin ?? '');
  const one = await start({ replace });
  before.at = one.origin;
  const between = await openCounting(one.origin);
  expect(await before.count()).toBe('mcp-0 1');
  expect(await between.count()).toBe('mcp-0 1');

  const two = await start({ block: 1, replace: { ...replace, ...second } });
  between.at = two.origin;
  expect(await between.count()).toBe('mcp-0 2');
  const after = [await openCounting(two.origin), await openCounting(two.origin)];
  const counts = await Promise.all(after.map((client) => client.count()));
  expect(counts.toSorted((a, b) => a.localeCompare(b))).toEqual(['mcp-0 1', 'mcp-1 1']);

  // Of one from before the second step knows nothing: it is told to start again.
  expect((await call({ url: two.origin }, before.session() ?? '')).status).toBe(404);
});

test('in the first step the server itself says what it knows of an id', async () => {
  const servers = await counterServers(1);
  const replace = {
    ...PATIENT,
    ...addressesOf(servers),
    'redis://redis:6379': await sharedRedisUrl(),
  };
  const { origin } = await start({ replace });
  const answer = await call({ url: origin }, 'never-issued');
  expect(answer.status).toBe(404);
  expect(servers[0]?.heads.at(-1)).toMatchObject({ 'mcp-session-id': 'never-issued' });

  const client = await openCounting(origin);
  const id = client.session() ?? '';
  await client.terminate();
  const { status, text } = await call({ url: origin }, id);
  expect(status).toBe(404);
  expect(JSON.parse(text)).toMatchObject({ error: { data: { reason: 'session_ended' } } });
});
