import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Express } from 'express';
import { responseInterceptor as interceptor4 } from 'http-proxy-middleware';
import { responseInterceptor as interceptor3 } from 'http-proxy-middleware3';
import request from 'supertest';
import { BACKEND_URL, sessionPlugin } from '../../../src/index.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import {
  gateway,
  proxyOf,
  type Gateway,
  type GatewayOptions,
  type ProxyMajor,
} from '../../helpers/gateway.ts';
import { call, initialize, ofSession, openSession, post } from '../../helpers/mcp-client.ts';
import { pairings } from '../../helpers/pairings.ts';
import { rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import {
  scriptedBackend,
  scriptedBackends,
  type ScriptedBackend,
} from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';

type Two = [ScriptedBackend, ScriptedBackend];

const urls = (backend: ScriptedBackend): string[] => backend.hits.map(({ url }) => url);

const interceptorOf = (hpm: ProxyMajor): typeof interceptor4 =>
  hpm === 4 ? interceptor4 : (interceptor3 as typeof interceptor4);

/** A target as http-proxy-middleware takes it, too. */
function objectOf({ origin }: ScriptedBackend): object {
  const { protocol, hostname, port } = new URL(origin);
  return { protocol, host: hostname, port };
}

/** A server that listens on a file, and opens one session. */
async function socketBackend(): Promise<{ socketPath: string; seen: unknown[] }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'socket-'));
  onCleanup(() => rm(folder, { recursive: true }));
  const socketPath = path.join(folder, 'backend');
  const seen: unknown[] = [];
  const server = http.createServer((req, res) => {
    seen.push(req.headers['mcp-session-id']);
    req.resume().on('end', () => res.setHeader('Mcp-Session-Id', 'one').end('{}'));
  });
  await once(server.listen(socketPath), 'listening');
  onCleanup(() => server.close());
  return { socketPath, seen };
}

describe.each(pairings)('Express %d, http-proxy-middleware %d', (express, hpm) => {
  const start = (
    proxyOptions: Readonly<Record<string, unknown>>,
    options: GatewayOptions = {},
  ): Promise<Gateway> =>
    gateway({
      express,
      proxy: hpm,
      ...options,
      proxyOptions: { router: undefined, ...proxyOptions },
    });

  test.each<[string, (backend: ScriptedBackend) => unknown]>([
    ['an object', objectOf],
    ['a URL', ({ origin }) => new URL(origin)],
    ['a string', ({ origin }) => origin],
  ])('D9 the router of the app may return %s', async (_name, targetOf) => {
    const [a, b] = (await scriptedBackends(2)) as Two;
    const store = scriptedStore();
    const gw = await start({ target: a.origin, router: () => targetOf(b) }, { store });
    const id = await openSession(gw);
    await call(gw, id).expect(200);
    expect([a.hits.length, b.hits.length]).toEqual([0, 2]);
    expect(store.recordOf(id)).toHaveProperty(BACKEND_URL, b.origin);
  });

  test.each(['backends', 'target'])('D8 %s may have an IPv6 address', async (given) => {
    const [a] = (await scriptedBackends(1)) as [ScriptedBackend];
    // What listens on 127.0.0.1 has this one too, in a socket for IPv6.
    const { origin } = new URL(a.origin.replace('127.0.0.1', '[::ffff:127.0.0.1]'));
    const store = scriptedStore();
    const gw =
      given === 'target'
        ? await start({ target: origin }, { store })
        : await gateway({ express, proxy: hpm, store, options: { backends: origin } });
    const id = await openSession(gw);
    await call(gw, id).expect(200);
    expect(a.hits).toHaveLength(2);
    expect(store.recordOf(id)).toHaveProperty(BACKEND_URL, origin);
  });

  test('A1 the backend is recorded that a second proxy has found, not the one of the first', async () => {
    const [a, b] = (await scriptedBackends(2)) as Two;
    const second = proxyOf(hpm, { router: () => b.origin, target: b.origin });
    const on = { error: (_error: unknown, req: never, res: never) => second(req, res, () => {}) };
    const gw = await start({ target: a.origin, on });
    await a.refuse();
    const id = await openSession(gw);
    await a.reopen();
    await call(gw, id).expect(200);
    expect([a.hits.length, b.hits.length]).toEqual([0, 2]);
  });

  test('D8 with backends, a router of the app that leads elsewhere is a mistake that shows at once', async () => {
    const [a, b] = (await scriptedBackends(2)) as Two;
    const gw = await start({ router: () => b.origin }, { options: { backends: a.origin } });
    expect((await initialize(gw)).status).toBe(500);
    expect([a.hits.length, b.hits.length]).toEqual([0, 0]);
  });

  test('D9 with backends, a router of the app chooses among them', async () => {
    const [a, b] = (await scriptedBackends(2)) as Two;
    const backends = [a.origin, b.origin];
    const gw = await start({ router: () => objectOf(b) }, { options: { backends } });
    for (const id of [await openSession(gw), await openSession(gw)]) await call(gw, id).expect(200);
    expect([a.hits.length, b.hits.length]).toEqual([0, 4]);
  });

  test.each(['target', 'router'])(
    'A1, F6 the path of a %s is in front of every path',
    async (where) => {
      const backend = await scriptedBackend();
      const url = `${backend.origin}/base`;
      const gw = await start(where === 'target' ? { target: url } : { router: () => url });
      const id = await openSession(gw);
      await call(gw, id).expect(200);
      await post(gw, '{}', ofSession(id), '/mcp?a=%20b').expect(202);
      expect(urls(backend)).toEqual(['/base/mcp', '/base/mcp', '/base/mcp?a=%20b']);
    },
  );

  test('D8 with backends, the path of a recorded URL leads nowhere else', async () => {
    const backend = await scriptedBackend();
    const store = scriptedStore();
    const options = { backends: backend.origin, cache: false } as const;
    const gw = await gateway({ express, proxy: hpm, store, options });
    const id = await openSession(gw);
    store.put(id, { ...store.recordOf(id), [BACKEND_URL]: `${backend.origin}/admin?x=1` });
    await call(gw, id).expect(200);
    expect(urls(backend)).toEqual(['/mcp', '/mcp']);
  });

  test('a target that is a socket file stays reachable', async () => {
    const { socketPath, seen } = await socketBackend();
    const gw = await start({ target: { protocol: 'http:', host: 'localhost', socketPath } });
    await call(gw, await openSession(gw)).expect(200);
    expect(seen).toEqual([undefined, 'one']);
  });

  test('D9 no session is opened where no record could say where it is', async () => {
    const { socketPath, seen } = await socketBackend();
    const backend = await scriptedBackend();
    const router = (): object => ({ protocol: 'http:', host: 'localhost', socketPath });
    const gw = await start({ target: backend.origin, router });
    expectRefusal(await initialize(gw), 'invalid_backend_answer');
    expect([seen.length, backend.hits.length]).toEqual([1, 0]);
  });

  test.each([
    ['rewritten', { pathRewrite: { '^/mcp': '/v1' } }, '', '/v1'],
    ['behind that of the target', {}, '/base', '/base/mcp'],
  ])(
    'B2 the session is deleted where it was opened: its path is %s',
    async (_how, how, base, url) => {
      const backend = await scriptedBackend();
      const store = scriptedStore();
      store.fault = 'reject';
      const gw = await start({ ...how, target: backend.origin + base }, { store });
      expectRefusal(await initialize(gw), 'store_unavailable');
      expect((await backend.hitWhere(({ method }) => method === 'DELETE')).url).toBe(url);
      expect(backend.hits[0]?.url).toBe(url);
    },
  );

  test('the request of one proxy is never sent by another', async () => {
    const [a, b] = (await scriptedBackends(2)) as Two;
    const agent = new http.Agent();
    onCleanup(() => agent.destroy());
    const other = proxyOf(hpm, { router: undefined, target: b.origin, ws: true });
    const options = { after: (app: Express) => app.use(other) };
    const gw = await start({ pathFilter: '/mcp', target: a.origin, agent }, options);
    await request(gw.url).get('/elsewhere').expect(200);
    await request(gw.url).get('/mcp?secret').expect(200);
    await rawHttp(gw.url, rawRequest('GET /ws', ['Connection: Upgrade', 'Upgrade: websocket']));
    expect([urls(a), urls(b)]).toEqual([['/mcp?secret'], ['/elsewhere', '/ws']]);
  });

  test('B1 an answer that the app intercepts is held all the same, be it an event stream', async () => {
    const backend = await scriptedBackend(({ res }) => {
      const headers = { 'Content-Type': 'text/event-stream', 'Mcp-Session-Id': 'one' };
      res.writeHead(200, headers).write('event: message\n');
      // Later than the plugin would have sent the head of a stream on.
      setTimeout(() => res.end('data: {}\n\n'), 50);
    });
    const on = { proxyRes: interceptorOf(hpm)((body) => Promise.resolve(body)) };
    const gw = await start({ target: backend.origin, selfHandleResponse: true, on });
    const answer = await initialize(gw);
    expect(answer.get('Mcp-Session-Id')).toBe('one');
    expect(answer.text).toBe('event: message\ndata: {}\n\n');
    expect(gw.sessions.stats().opened).toBe(1);
  });

  test('a request of a session is never mirrored: forward is refused', async () => {
    const [a, b] = (await scriptedBackends(2)) as Two;
    const options = { target: a.origin, forward: b.origin, plugins: [sessionPlugin] };
    expect(() => proxyOf(hpm, options)).toThrow(/forward/);
  });

  test('A2 a request that wants to be upgraded, and that no middleware sees, gets no further with a session id', async () => {
    const backend = await scriptedBackend();
    const gw = await start({ target: backend.origin, ws: true });
    const id = await openSession(gw);
    const headers = ['Connection: Upgrade', 'Upgrade: websocket', `Mcp-Session-Id: ${id}`];
    expect(await rawHttp(gw.url, rawRequest('GET /mcp', headers))).toMatch(/^HTTP\S+ 400 /);
    expect(backend.hits).toHaveLength(1);
  });
});
