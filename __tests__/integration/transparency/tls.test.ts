import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { onCleanup } from '../../helpers/cleanup.ts';
import { gateway } from '../../helpers/gateway.ts';
import { listen, type Listening } from '../../helpers/listen.ts';
import { call, initialize, openSession, openStream } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { rawConnection } from '../../helpers/raw-http.ts';
import { rawOpening } from '../../helpers/raw-mcp.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import {
  CERTIFICATE,
  scriptedBackend,
  type ScriptedBackend,
} from '../../helpers/scripted-backend.ts';
import { until } from '../../helpers/until.ts';

/** Accepts connections, and never says a word of TLS. */
async function silentServer(): Promise<Listening & { connected: Promise<Socket> }> {
  const server = net.createServer();
  const connected = once(server, 'connection').then(([socket]) => socket as Socket);
  const listening = await listen(server);
  onCleanup(() => listening.close());
  return { ...listening, origin: listening.origin.replace('http:', 'https:'), connected };
}

const onTls = (name: string): Promise<ScriptedBackend> =>
  scriptedBackend(undefined, { name, tls: true });

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  test('A1 sessions of backends that speak TLS are pinned', async () => {
    const backends = [await onTls('a'), await onTls('b')];
    const options = { backends: backends.map(({ origin }) => origin) };
    const gw = await gateway({ express, proxy, options, proxyOptions: { secure: false } });
    for (const { name, sessions, sockets } of backends) {
      const id = await openSession(gw);
      expect(sessions).toContain(id);
      for (let turn = 0; turn < 5; turn += 1) {
        expect((await call(gw, id, 'hi')).text).toContain(`${name}: hi`);
      }
      expect((await openStream(gw, id)).status).toBe(200);
      expect(sockets.size).toBe(1);
    }
  });

  test('D1 fails over between backends that speak TLS and those that do not', async () => {
    const [a, b, c] = [await onTls('a'), await scriptedBackend(), await onTls('c')] as const;
    const options = { backends: [a.origin, b.origin, c.origin], balance: () => a.origin };
    const gw = await gateway({ express, proxy, options, proxyOptions: { secure: false } });
    await a.refuse();
    const onB = await openSession(gw);
    expect(onB).toMatch(/^b-/);
    await b.refuse();
    const onC = await openSession(gw);
    expect(onC).toMatch(/^c-/);
    expect((await call(gw, onC)).status).toBe(200);
    expect((await call(gw, onB)).text).toContain('"reason":"session_lost"');
    await c.refuse();
    expectRefusal(await initialize(gw), 'no_backend');
  });

  const trust = { ca: CERTIFICATE.cert };

  test('a certificate is checked for the name of the backend, whatever Host the client sends', async () => {
    const backend = await onTls('a');
    const options = { backends: backend.origin };
    const gw = await gateway({ express, proxy, options, proxyOptions: trust });
    expect((await initialize(gw, { Host: 'gateway.example' })).status).toBe(200);
    const named = { backends: backend.origin.replace('127.0.0.1', 'localhost') };
    const other = await gateway({ express, proxy, options: named, proxyOptions: trust });
    expectRefusal(await initialize(other, { Host: '127.0.0.1' }), 'no_backend');
    expect(backend.hits).toHaveLength(1);
  });

  test('a certificate that nobody has signed is refused', async () => {
    const backend = await onTls('a');
    const gw = await gateway({ express, proxy, options: { backends: backend.origin } });
    expectRefusal(await initialize(gw), 'no_backend');
    expect(backend.hits).toEqual([]);
  });

  test('D1 checks the certificate for the name of the backend that takes the request', async () => {
    const [a, b] = [await onTls('a'), await onTls('b')] as const;
    await a.refuse();
    const first = a.origin.replace('127.0.0.1', 'localhost');
    const options = { backends: [first, b.origin], balance: () => first };
    const proxyOptions = { ...trust, changeOrigin: true };
    const gw = await gateway({ express, proxy, options, proxyOptions });
    expect(await openSession(gw)).toMatch(/^b-/);
    expect((await b.hit(0)).headers.host).toBe(new URL(b.origin).host);
  });

  test('F3 a client that leaves in the handshake ends it, and nobody else is tried', async () => {
    const silent = await silentServer();
    const other = await onTls('b');
    const options = { backends: [silent.origin, other.origin], balance: () => silent.origin };
    const gw = await gateway({ express, proxy, options, proxyOptions: { secure: false } });
    const client = await rawConnection(gw.url);
    client.write(rawOpening());
    const socket = await silent.connected;
    socket.resume();
    const cut = once(socket, 'close');
    const left = performance.now();
    client.reset();
    await cut;
    expect(performance.now() - left).toBeLessThan(1000);
    await until(() => gw.sockets.size === 0);
    expect(other.sockets.size).toBe(0);
  });

  test('D1 a backend that accepts and does not shake hands is out of reach', async () => {
    const silent = await silentServer();
    const other = await onTls('b');
    const options = { backends: [silent.origin, other.origin], balance: () => silent.origin };
    const gw = await gateway({ express, proxy, options, proxyOptions: { secure: false } });
    expect(await openSession(gw)).toMatch(/^b-/);
  });
});
