import { beforeAll, describe, expect, test } from '@jest/globals';
import { startForAll } from '../../helpers/cleanup.ts';
import {
  addressesOf,
  countingClient,
  counterServers,
  type CounterServer,
} from '../../helpers/counter-server.ts';
import { runRecipe, type RunningRecipe } from '../../helpers/run-recipe.ts';

let servers: CounterServer[];
beforeAll(async () => {
  servers = await startForAll(() => counterServers(2));
});

describe.each(['http-proxy-middleware', 'http-proxy-middleware3'])('with %s', (proxy) => {
  let gateway: RunningRecipe;
  beforeAll(async () => {
    gateway = await startForAll(start);
  });

  function start(replace: Record<string, string> = {}): Promise<RunningRecipe> {
    const replaced = { ...addressesOf(servers), "'http-proxy-middleware'": `'${proxy}'` };
    return runRecipe('existing-gateway', { replace: { ...replaced, ...replace } });
  }

  test('a session stays where it was opened, whatever the router would say', async () => {
    const client = countingClient(gateway.origin);
    client.headers = asBlueOnlyToOpen;
    await client.open();
    expect([await client.count(), await client.count()]).toEqual(['mcp-1 1', 'mcp-1 2']);
  });

  test('without the two new lines the first message after initialize fails', async () => {
    const lines = {
      'app.use(mcpSessionRouting()); // new\n': '',
      'plugins: [sessionPlugin], // new\n': '',
    };
    const client = countingClient((await start(lines)).origin);
    client.headers = asBlueOnlyToOpen;
    await expect(client.open()).rejects.toThrow('Session not found');
  });

  test('the target takes the others, and the routes that were there answer as before', async () => {
    const { origin } = gateway;
    const client = countingClient(origin);
    await client.open();
    expect(await client.count()).toBe('mcp-0 1');
    expect(await (await fetch(`${origin}/health`)).text()).toBe('fine');
    const headers = { 'content-type': 'application/json' };
    const echo = await fetch(`${origin}/echo`, { method: 'POST', headers, body: '{"a":["ü"]}' });
    expect(await echo.text()).toBe('{"a":["ü"]}');
  });
});

function asBlueOnlyToOpen({ body }: RequestInit): Record<string, string> {
  return typeof body === 'string' && body.includes('"initialize"') ? { 'x-tenant': 'blue' } : {};
}
