import { describe, expect, test } from '@jest/globals';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import { call, openSession, openSessions, openStream } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { rawConnection, rawRequest } from '../../helpers/raw-http.ts';
import { sessionLines } from '../../helpers/raw-mcp.ts';
import { scriptedBackend, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { until } from '../../helpers/until.ts';

const isStream = ({ method }: { method: string }): boolean => method === 'GET';

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  async function start(): Promise<{ gw: Gateway; backend: ScriptedBackend; id: string }> {
    const backend = await scriptedBackend();
    const gw = await gateway({ express, proxy, options: { backends: backend.origin } });
    return { backend, gw, id: await openSession(gw) };
  }

  test('F5 400 open event streams to one backend hold up no POST', async () => {
    const { gw, backend } = await start();
    const ids = await openSessions(gw, 8);
    const open = ids.flatMap((id) => Array.from({ length: 50 }, () => openStream(gw, id)));
    const streams = await Promise.all(open);
    expect(gw.sessions.stats().streams).toBe(400);
    for (const id of ids) expect((await call(gw, id)).status).toBe(200);
    expect(await openSession(gw)).toMatch(/^b-/);
    for (const { res } of backend.hits.filter(isStream)) res.write('data: {}\n\n');
    await until(() => streams.every(({ text }) => text === ': open\n\ndata: {}\n\n'));
  });

  test('F8 sends the head of an event stream on although no byte follows', async () => {
    const { gw, backend, id } = await start();
    backend.answer = ({ res }) =>
      res.writeHead(200, { 'Content-Type': 'Text/Event-Stream; charset=utf-8' }).flushHeaders();
    const stream = await openStream(gw, id);
    expect([stream.status, stream.text]).toEqual([200, '']);
  });

  test.each([
    ['is reset', (backend: ScriptedBackend) => backend.reset()],
    ['is closed', (backend: ScriptedBackend) => backend.hits.at(-1)?.res.destroy()],
    [
      'ends in mid-chunk',
      (backend: ScriptedBackend) => backend.hits.at(-1)?.res.socket?.end('f\r\nda'),
    ],
  ])('F8 breaks off a chunked stream whose backend %s', async (_how, cut) => {
    const { gw, backend, id } = await start();
    const client = await rawConnection(gw.url);
    client.write(rawRequest('GET /mcp', sessionLines(id)));
    await client.until(': open');
    cut(backend);
    await client.closed;
    expect(client.text).not.toContain('\r\n0\r\n\r\n');
  });

  test('F8 breaks off an answer that its backend cuts short', async () => {
    const { gw, backend, id } = await start();
    backend.answer = ({ res }) => {
      res.writeHead(200, { 'Content-Length': 100 }).write('{"half":');
      setImmediate(() => res.destroy());
    };
    await expect(call(gw, id)).rejects.toThrow(/aborted|hang up/);
  });

  test('F8 ends a stream that its backend ends, and keeps the connection', async () => {
    const { gw, backend, id } = await start();
    const client = await rawConnection(gw.url);
    client.write(rawRequest('GET /mcp', sessionLines(id)));
    await client.until(': open');
    (await backend.hitWhere(isStream)).res.end();
    await client.until('\r\n0\r\n\r\n');
    client.write(rawRequest('POST /mcp', [...sessionLines(id), 'Connection: close']));
    expect(await client.until('202 Accepted')).toContain('200 OK');
  });

  test('F8 breaks off a stream that waits its turn behind another request', async () => {
    const { gw, backend, id } = await start();
    const client = await rawConnection(gw.url);
    const slow = rawRequest('POST /mcp?slow', sessionLines(id), '{"id":1}');
    backend.answer = ({ url }) => url === '/mcp?slow';
    client.write(Buffer.concat([slow, rawRequest('GET /mcp', sessionLines(id))]));
    const { res } = await backend.hitWhere(isStream);
    const first = await backend.hitWhere(({ url }) => url === '/mcp?slow');
    res.destroy();
    await until(() => gw.sessions.stats().streams === 0);
    first.res.end('first');
    await client.closed;
    expect(client.text).toMatch(/^HTTP\/1.1 200 OK\r\n.*first/s);
  });

  test('F8 does not cut a quiet stream on a connection that was idle before', async () => {
    const { gw, backend, id } = await start();
    backend.answer = (hit) => {
      hit.res.setHeader('Keep-Alive', 'timeout=2');
      return false;
    };
    await call(gw, id);
    const stream = await openStream(gw, id);
    expect(backend.sockets.size).toBe(1);
    const opened = performance.now();
    await until(() => performance.now() - opened > 1500);
    (await backend.hitWhere(isStream)).res.write('data: late\n\n');
    await until(() => stream.text.endsWith('data: late\n\n'));
    expect(backend.sockets.size).toBe(1);
  });
});
