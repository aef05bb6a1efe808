import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { onCleanup } from '../../helpers/cleanup.ts';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import { listen } from '../../helpers/listen.ts';
import { call, initialize, openSession, post, TOOLS_LIST } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { rawConnection, rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { sessionLines } from '../../helpers/raw-mcp.ts';
import {
  scriptedBackend,
  scriptedBackends,
  type ScriptedBackend,
} from '../../helpers/scripted-backend.ts';
import { until } from '../../helpers/until.ts';

/** How many connections the requests of a backend came on. */
function connections(backend: ScriptedBackend): number {
  return new Set(backend.hits.map(({ req }) => req.socket)).size;
}

function announce(backend: ScriptedBackend, keepAlive: string): void {
  backend.answer = ({ res }) => {
    res.setHeader('Keep-Alive', keepAlive);
    return false;
  };
}

/**
 * Closes the backend when the kernel has made a connection to it that neither side has heard of: it is reset while
 * the gateway still waits for it.
 */
function closeWhenDialled(backend: ScriptedBackend): void {
  const onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    socket.once('connectionAttempt', (_address: string, port: number) => {
      if (port !== backend.port) return;
      diagnostics.unsubscribe('net.client.socket', onSocket);
      process.nextTick(() => void backend.refuse());
    });
  };
  diagnostics.subscribe('net.client.socket', onSocket);
  onCleanup(() => diagnostics.unsubscribe('net.client.socket', onSocket));
}

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  async function start(count = 1): Promise<{ gw: Gateway; backends: ScriptedBackend[] }> {
    const backends = await scriptedBackends(count);
    const origins = backends.map(({ origin }) => origin);
    const options = { backends: origins, balance: () => origins[0] ?? '' };
    return { backends, gw: await gateway({ express, proxy, options }) };
  }

  test('a connection that its backend has closed is not used, also if the request came first', async () => {
    const { gw, backends } = await start();
    const [backend] = backends as [ScriptedBackend];
    const client = await rawConnection(gw.url);
    const id = await openSession(gw);
    // Both are there when the gateway looks.
    client.write(rawRequest('POST /mcp', sessionLines(id), TOOLS_LIST));
    for (const socket of backend.sockets) socket.destroy();
    expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1.1 200 OK/);
  });

  test('a connection that carries the requests of many sessions mixes none of them up', async () => {
    const backends = await scriptedBackends(2);
    const gw = await gateway({
      ...{ express, proxy },
      options: { backends: backends.map(({ origin }) => origin), balance: 'round-robin' },
    });
    const ids = [await openSession(gw), await openSession(gw)];
    const asked = [...ids, ...ids, 'unknown', ...ids.toReversed()];
    const requests = asked.map((id, at) => {
      const last = at === asked.length - 1 ? ['Connection: close'] : [];
      return rawRequest('POST /mcp', [...sessionLines(id), ...last], TOOLS_LIST);
    });
    const answers = await rawHttp(gw.url, Buffer.concat(requests));
    expect(answers.match(/HTTP\/1.1 \d+/g)?.map((line) => line.slice(-3))).toEqual([
      '200',
      '200',
      '200',
      '200',
      '400',
      '200',
      '200',
    ]);
    const reached = backends.map(({ hits }) =>
      hits.slice(1).map(({ headers }) => headers['mcp-session-id']),
    );
    expect(reached).toEqual(ids.map((id) => [id, id, id]));
  });

  test('connections to a backend are used again', async () => {
    const { gw, backends } = await start();
    const [backend] = backends as [ScriptedBackend];
    const id = await openSession(gw);
    for (let turn = 0; turn < 20; turn += 1) await call(gw, id);
    expect(connections(backend)).toBe(1);
  });

  test('a free connection is closed before its backend, as announced, closes it', async () => {
    const { gw, backends } = await start();
    const [backend] = backends as [ScriptedBackend];
    announce(backend, 'timeout=2, max=100');
    await openSession(gw);
    const [socket] = backend.sockets;
    const free = performance.now();
    await once(socket ?? http.globalAgent, 'end');
    expect(performance.now() - free).toBeLessThan(2000);
  });

  test('a connection that its backend hardly keeps is not used again', async () => {
    const { gw, backends } = await start();
    const [backend] = backends as [ScriptedBackend];
    announce(backend, 'timeout=1');
    const id = await openSession(gw);
    await call(gw, id);
    expect(connections(backend)).toBe(2);
  });

  test('D1 a request that failed over leaves no connection under the wrong name', async () => {
    const { gw, backends } = await start(2);
    const [a, b] = backends as [ScriptedBackend, ScriptedBackend];
    await a.refuse();
    const id = await openSession(gw);
    expect(id).toMatch(/^b-/);
    await a.reopen();
    await until(() => gw.sessions.backends.list()[0]?.state === 'up');
    expect(await openSession(gw)).toMatch(/^a-/);
    expect((await call(gw, id)).status).toBe(200);
    expect([a.hits.length, b.hits.length]).toEqual([1, 2]);
  });

  test('D1 200 requests fail over at the same time', async () => {
    const { gw, backends } = await start(3);
    const [a, b, c] = backends as [ScriptedBackend, ScriptedBackend, ScriptedBackend];
    await a.refuse();
    const ids = await Promise.all(Array.from({ length: 200 }, () => openSession(gw)));
    expect(ids.every((id) => b.sessions.has(id) || c.sessions.has(id))).toBe(true);
    expect(b.hits.length + c.hits.length).toBe(200);
  });

  test('D1 a request that failed over names its new backend where the app changes the Host', async () => {
    const [a, b] = (await scriptedBackends(2)) as [ScriptedBackend, ScriptedBackend];
    const options = { backends: [a.origin, b.origin] };
    const gw = await gateway({
      express,
      proxy,
      options,
      proxyOptions: { changeOrigin: true },
    });
    await a.refuse();
    await post(gw, '{}');
    expect((await b.hit(0)).headers.host).toBe(new URL(b.origin).host);
  });

  test('D2 a backend that goes away while it is connected to counts as refusing', async () => {
    const { gw, backends } = await start();
    const [backend] = backends as [ScriptedBackend];
    const id = await openSession(gw);
    await backend.refuse();
    await backend.reopen();
    closeWhenDialled(backend);
    expect((await call(gw, id)).text).toContain('"reason":"session_lost"');
    expect(backend.hits.length).toBe(1);
  });

  if (proxy !== 'forward') {
    test('an agent of the app is used', async () => {
      const backend = await scriptedBackend();
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      onCleanup(() => agent.destroy());
      const options = { backends: backend.origin };
      const gw = await gateway({ express, proxy, options, proxyOptions: { agent } });
      const id = await openSession(gw);
      await Promise.all(Array.from({ length: 10 }, () => call(gw, id)));
      expect(connections(backend)).toBe(1);
      await backend.refuse();
      expect((await initialize(gw)).text).toContain('"reason":"no_backend"');
      expect((await call(gw, id)).text).toContain('"reason":"session_lost"');
    });
  }
});

test('no POST fails although its backend closes what is idle', async () => {
  const server = http.createServer((req, res) => {
    req.resume().on('end', () => res.setHeader('Mcp-Session-Id', 'one').end('{}'));
  });
  server.keepAliveTimeout = 2000;
  const backend = await listen(server);
  onCleanup(() => backend.close());
  const gw = await gateway({ options: { backends: backend.origin } });
  await openSession(gw);
  // From before the gateway closes a free connection until after the backend has closed it.
  const lanes = Array.from({ length: 50 }, (_, lane) => 850 + lane * 30);
  const answers = lanes.map(async (pause) => {
    const first = await call(gw, 'one');
    await sleep(pause);
    return [first.status, (await call(gw, 'one')).status];
  });
  expect((await Promise.all(answers)).flat().filter((status) => status !== 200)).toEqual([]);
});
