import { beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import { call, openSession, terminate } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { parseRaw, rawConnection, rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { sessionLines } from '../../helpers/raw-mcp.ts';
import { scriptedBackend, type ScriptedBackend } from '../../helpers/scripted-backend.ts';

const INNER = 'DELETE /mcp HTTP/1.1\r\nHost: b\r\nMcp-Session-Id: victim\r\n\r\n';

describe.each(stacks)('$name', ({ app: major, proxy }) => {
  let backend: ScriptedBackend;
  let gw: Gateway;
  let id: string;

  beforeEach(async () => {
    backend = await scriptedBackend();
    gw = await gateway({ express: major, proxy, options: { backends: backend.origin } });
    id = await openSession(gw);
  });

  const send = (lines: string[], body = '{}', method = 'POST'): Promise<string> =>
    rawHttp(gw.url, rawRequest(`${method} /mcp`, [...sessionLines(id), ...lines], body));

  test('F4 takes hop-by-hop headers off the request, and those that Connection names', async () => {
    await send([
      'Connection: close, X-Nominated, TE',
      'Keep-Alive: timeout=9',
      'Proxy-Authorization: Basic secret',
      'Proxy-Authenticate: Basic',
      'Proxy-Connection: keep-alive',
      'TE: trailers',
      'Trailer: X-Trailer',
      'Upgrade: h2c',
      'X-Nominated: 1',
      'X-Kept: 1',
      'Authorization: Bearer kept',
    ]);
    const { headers } = await backend.hit(1);
    expect(String(headers.connection)).not.toMatch(/close|nominated/i);
    delete headers.connection;
    expect(Object.keys(headers).toSorted()).toEqual([
      'authorization',
      'content-length',
      'host',
      'mcp-protocol-version',
      'mcp-session-id',
      'x-kept',
    ]);
  });

  test('F4 takes hop-by-hop headers off the answer, and those that Connection names', async () => {
    backend.answer = ({ res }) => {
      res.writeHead(200, {
        Connection: 'X-Nominated',
        'X-Nominated': '1',
        'Keep-Alive': 'timeout=9',
        'Proxy-Authenticate': 'Basic',
        Trailer: 'X-Trailer',
        Upgrade: 'h2c',
        'X-Kept': '1',
      });
      res.write('{}');
      res.addTrailers({ 'X-Trailer': '1' });
      res.end();
    };
    const text = await send(['Connection: close']);
    const answer = parseRaw(text);
    const names = answer.headers.map(([name]) => name).filter((name) => name !== 'x-powered-by');
    expect(names.toSorted()).toEqual(['connection', 'date', 'transfer-encoding', 'x-kept']);
    // The proxies of http-proxy-middleware leave trailers out.
    const trailers = proxy === 'forward' ? 'X-Trailer: 1\r\n' : '';
    expect(text.endsWith(`\r\n0\r\n${trailers}\r\n`)).toBe(true);
  });

  test.each([
    'Mcp-Session-Id',
    'close, mcp-session-id',
    'MCP-Protocol-Version',
    'Content-Length',
    'Host',
    'X-Forwarded-For',
  ])('F4 lets no client nominate away what routes and frames: Connection: %s', async (value) => {
    const lines = [`Connection: ${value}`, 'X-Forwarded-For: 192.0.2.1'];
    const client = await rawConnection(gw.url);
    client.write(rawRequest('POST /mcp', [...sessionLines(id), ...lines], '{"id":1}'));
    await client.until('\r\n\r\n');
    const { headers, body } = await backend.hit(1);
    expect(body.toString()).toBe('{"id":1}');
    expect(headers).toMatchObject({
      host: 'gateway',
      'content-length': '8',
      'mcp-session-id': id,
      'mcp-protocol-version': '2025-11-25',
      'x-forwarded-for': '192.0.2.1',
    });
  });

  test('F4 closes the connection of a client that asks for it, and keeps the one to the backend', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const text = await send(['Connection: close']);
      expect(parseRaw(text)).toMatchObject({ status: 202 });
      expect(parseRaw(text).header('connection')).toBe('close');
    }
    expect(backend.sockets.size).toBe(1);
    for (const { headers } of backend.hits) expect(headers.connection).not.toBe('close');
  });

  test('F4 keeps the connection of a client whose backend closes its own', async () => {
    backend.answer = ({ res }) => void res.setHeader('Connection', 'close').end('{}');
    const client = await rawConnection(gw.url);
    for (let turn = 1; turn <= 3; turn += 1) {
      client.write(rawRequest('POST /mcp', sessionLines(id), '{}'));
      await client.until(new RegExp(`(HTTP/1.1 200 OK.*){${turn}}`, 's'));
    }
    expect(client.text).not.toMatch(/connection: close/i);
  });

  test('F4 lets clients wait for 100 Continue, and skips no rule for them', async () => {
    const client = await rawConnection(gw.url);
    const lines = ['Expect: 100-continue', 'Content-Length: 8', 'Connection: close, X-Nominated'];
    client.write(rawRequest('POST /mcp', [...sessionLines(id), ...lines, 'X-Nominated: 1']));
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.write('{"id":1}');
    await client.until('HTTP/1.1 200 OK');
    const { headers, body } = await backend.hit(1);
    expect(body.toString()).toBe('{"id":1}');
    for (const name of ['expect', 'x-nominated']) expect(headers).not.toHaveProperty(name);
    expect(String(headers.connection)).not.toMatch(/close|nominated/i);
  });

  test('F4 makes no second request of the body of a chunked DELETE', async () => {
    const chunk = `${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`;
    const lines = ['Transfer-Encoding: chunked', 'Connection: close'];
    const client = await rawConnection(gw.url);
    client.write(rawRequest('DELETE /mcp', [...sessionLines(id), ...lines]));
    client.write(chunk);
    await client.closed;
    expect(await call(gw, await openSession(gw)).then(({ status }) => status)).toBe(200);
    const deletes = backend.hits.filter(({ method }) => method === 'DELETE');
    expect(deletes.map(({ headers, body }) => [headers['mcp-session-id'], String(body)])).toEqual([
      [id, INNER],
    ]);
  });

  test('F4 makes no second request of the body of a chunked DELETE that was read', async () => {
    const reading = await gateway({
      express: major,
      proxy,
      before: (app) => void app.use(express.text({ type: () => true })),
      options: { backends: backend.origin },
    });
    const session = await openSession(reading);
    const lines = [...sessionLines(session), 'Transfer-Encoding: chunked', 'Connection: close'];
    const client = await rawConnection(reading.url);
    client.write(rawRequest('DELETE /mcp', lines));
    client.write(`${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`);
    await client.closed;
    const last = await backend.hit(2);
    expect([last.method, last.body.toString()]).toEqual(['DELETE', INNER]);
    expect(backend.hits).toHaveLength(3);
  });

  test.each([
    ['both lengths', ['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 6'], '12345'],
    ['a folded header', ['X-Folded: a\r\n b'], ''],
    ['a chunk that is none', ['Transfer-Encoding: chunked'], 'zz\r\n'],
    ['a coding that is not the last', ['Transfer-Encoding: chunked, identity'], '0\r\n\r\n'],
  ])('F4 lets no request through with %s', async (_title, headers, body) => {
    const client = await rawConnection(gw.url);
    const lines = [...sessionLines(id), 'Connection: close', ...headers];
    client.write(Buffer.concat([rawRequest('POST /mcp', lines), Buffer.from(body + INNER)]));
    await client.closed;
    expect(client.text).not.toMatch(/^HTTP\/1.1 200/);
    expect(backend.sessions).toContain(id);
    expect(backend.hits.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  test('F4 sends an OPTIONS and a DELETE without a body on without one', async () => {
    await rawHttp(gw.url, rawRequest('OPTIONS /mcp', ['Connection: close']));
    await terminate(gw, id);
    for (const hit of backend.hits.slice(1)) {
      expect(hit.headers).not.toHaveProperty('transfer-encoding');
      expect(hit.body).toHaveLength(0);
    }
    expect(backend.hits.map(({ method }) => method)).toEqual(['POST', 'OPTIONS', 'DELETE']);
  });
});
