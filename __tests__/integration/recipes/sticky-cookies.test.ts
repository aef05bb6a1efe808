import http from 'node:http';
import { beforeAll, expect, test } from '@jest/globals';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { onCleanup, startForAll } from '../../helpers/cleanup.ts';
import {
  addressesOf,
  countingClient,
  counterServers,
  openCounting,
  type CounterServer,
} from '../../helpers/counter-server.ts';
import { listen } from '../../helpers/listen.ts';
import { call } from '../../helpers/mcp-client.ts';
import { sharedRedisUrl } from '../../helpers/redis-server.ts';
import { PATIENT, runRecipe } from '../../helpers/run-recipe.ts';
import { until } from '../../helpers/until.ts';

let servers: CounterServer[];
let origin: string;

beforeAll(async () => {
  servers = await startForAll(() => counterServers(3));
  const replace = {
    ...PATIENT,
    ...addressesOf(servers),
    'redis://redis:6379': await sharedRedisUrl(),
  };
  ({ origin } = await startForAll(() => runRecipe('sticky-cookies', { replace })));
  await until(async () => (await fetch(`${origin}/readyz`)).status === 200);
});

test('through sticky cookies a client of the SDK gets no further than initialize', async () => {
  const client = countingClient(await stickyBalancer());
  await expect(client.open()).rejects.toThrow('Session not found');
});

test('through the gateway each client stays with its server, and all servers have some', async () => {
  const clients = await Promise.all(Array.from({ length: 6 }, () => openCounting(origin)));
  for (const client of clients) await client.count();
  const second = await Promise.all(clients.map((client) => client.count()));
  const twice = servers.flatMap(({ name }) => [`${name} 2`, `${name} 2`]);
  expect(second.toSorted((a, b) => a.localeCompare(b))).toEqual(twice);
});

test('a session from before, kept by a cookie, is told once to start again', async () => {
  const client = countingClient(await stickyBalancer());
  client.headers = { cookie: 'lb=2' };
  await client.open();
  expect([await client.count(), await client.count()]).toEqual(['mcp-2 1', 'mcp-2 2']);
  expect((await call({ url: origin }, client.session() ?? '')).status).toBe(404);
  expect(await (await openCounting(origin)).count()).toMatch(/^mcp-\d 1$/);
});

/** Pins by a cookie: whoever has none is sent to the next server, and given one. */
async function stickyBalancer(): Promise<string> {
  let turn = 0;
  const app = express();
  app.use((req, res, next) => {
    const [, pinned] = /\blb=(\d)/.exec(req.headers.cookie ?? '') ?? [];
    const at = pinned ?? String(turn++ % servers.length);
    res.cookie('lb', at);
    req.headers['x-at'] = at;
    next();
  });
  app.use(
    createProxyMiddleware({
      router: ({ headers }) => servers[Number(headers['x-at'])]?.origin ?? '',
    }),
  );
  const listening = await listen(http.createServer(app));
  onCleanup(() => listening.close());
  return listening.origin;
}
