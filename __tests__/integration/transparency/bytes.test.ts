import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import { call, openSession, openStream } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { parseRaw, rawConnection, rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { sessionLines } from '../../helpers/raw-mcp.ts';
import { scriptedBackend, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { bytesInMemory, digestOf, MEBIBYTE, streamedBytes } from '../../helpers/streamed-bytes.ts';
import { until } from '../../helpers/until.ts';

const TEXT = '{"text":"zwölf Größen, 日本語, 🦊"}';
const ODD = '{"id":12345678901234567890, "a":1,"a":2 ,\t"e":1E400,"b":1.0}';

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  let backend: ScriptedBackend;
  let gw: Gateway;
  let id: string;

  beforeEach(async () => {
    backend = await scriptedBackend();
    gw = await gateway({ express, proxy, options: { backends: backend.origin } });
    id = await openSession(gw);
  });

  const lines = (...more: string[]): string[] => [
    ...sessionLines(id),
    'Content-Type: application/json',
    'Connection: close',
    ...more,
  ];

  test('F1 sends a chunked request on as it came, byte by byte', async () => {
    const client = await rawConnection(gw.url);
    client.write(rawRequest('POST /mcp', lines('Transfer-Encoding: chunked')));
    for (const byte of Buffer.from(TEXT)) {
      client.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]));
    }
    client.write('0\r\n\r\n');
    const hit = await backend.hit(1);
    expect(hit.body.toString()).toBe(TEXT);
    expect(hit.headers).toMatchObject({ 'transfer-encoding': 'chunked', host: 'gateway' });
  });

  test('F1 sends an answer on as it came, byte by byte', async () => {
    backend.answer = async ({ res }) => {
      for (const byte of Buffer.from(TEXT)) {
        await new Promise((written) => res.write(Buffer.from([byte]), written));
      }
      res.end();
    };
    const answer = parseRaw(await rawHttp(gw.url, rawRequest('POST /mcp', lines(), '{}')));
    expect(Buffer.from(answer.body, 'latin1').toString()).toBe(TEXT);
  });

  test('F1 leaves large numbers, duplicate members and spaces as they are', async () => {
    backend.answer = ({ res }) => res.end(ODD);
    const answer = parseRaw(await rawHttp(gw.url, rawRequest('POST /mcp', lines(), ODD)));
    expect(answer.body).toBe(ODD);
    expect((await backend.hit(1)).body.toString()).toBe(ODD);
  });

  test('F1 leaves a compressed answer, its status line and its headers as they are', async () => {
    const zipped = gzipSync(TEXT);
    backend.answer = ({ res }) => {
      res.setHeader('Set-Cookie', ['a=1', 'b=2']);
      res.writeHead(299, 'Quite Right', { 'Content-Encoding': 'gzip', 'X-Latin': 'caf\u00e9' });
      res.end(zipped);
    };
    const text = await rawHttp(gw.url, rawRequest('POST /mcp', lines(), '{}'));
    const answer = parseRaw(text);
    expect(text).toMatch(/^HTTP\/1.1 299 Quite Right\r\n/);
    expect(answer.headers.filter(([name]) => name === 'set-cookie')).toHaveLength(2);
    expect(answer.header('x-latin')).toBe('caf\u00e9');
    expect(gunzipSync(Buffer.from(answer.body, 'latin1')).toString()).toBe(TEXT);
  });

  // Around the length up to which a body leaves with its head.
  test.each([1, 256, 7000, 8191, 8192, 8193, 20_000])(
    'F1 leaves every byte of a body of %d as it is, both ways',
    async (length) => {
      const bytes = Buffer.from(Array.from({ length }, (_, at) => at % 256));
      backend.answer = ({ res }) => {
        res.setHeader('Content-Length', length);
        res.end(bytes);
      };
      const answer = parseRaw(await rawHttp(gw.url, rawRequest('POST /mcp', lines(), bytes)));
      expect(Buffer.from(answer.body, 'latin1').equals(bytes)).toBe(true);
      expect((await backend.hit(1)).body.equals(bytes)).toBe(true);
    },
  );

  test('F1 sends each event of a stream on before the next one is written', async () => {
    const stream = await openStream(gw, id);
    const { res } = await backend.hitWhere(({ method }) => method === 'GET');
    for (let event = 0; event < 20; event += 1) {
      res.write(`id: ${event}\n\n`);
      await until(() => stream.text.endsWith(`id: ${event}\n\n`));
    }
    expect(stream.text).toMatch(/^: open\n\nid: 0\n\n.*id: 19\n\n$/s);
  });

  test('F1 sends each piece of a request on before the next one is sent', async () => {
    const early = await scriptedBackend(() => {}, { early: true });
    const other = await gateway({ express, proxy, options: { backends: early.origin } });
    const client = await rawConnection(other.url);
    client.write(rawRequest('POST /mcp', ['Transfer-Encoding: chunked']));
    let received = '';
    for (const piece of ['{"a":', '"b"', '}']) {
      client.write(`${piece.length}\r\n${piece}\r\n`);
      const { req } = await early.hit(0);
      if (received === '') req.setEncoding('utf8').on('data', (text) => (received += text));
      await until(() => received.endsWith(piece));
    }
    expect(received).toBe('{"a":"b"}');
  });

  /** The gateway has time for hundreds of other requests, and what is sent is not taken. */
  async function expectHeldBack(sent: Promise<void> | undefined): Promise<void> {
    const state = { allTaken: false };
    void sent?.then(() => (state.allTaken = true));
    for (let other = 0; other < 300 && !state.allTaken; other += 1)
      await call(gw, 'unknown').expect(400);
    expect(state.allTaken).toBe(false);
  }

  test('F1 passes 64 MB on to a client that reads slowly, without taking them into memory', async () => {
    const bytes = streamedBytes(64 * MEBIBYTE);
    let sent: Promise<void> | undefined;
    backend.answer = ({ res }) => (sent = bytes.send(res));
    const before = bytesInMemory();
    const req = http.request(`${gw.url}/mcp`, { headers: { 'mcp-session-id': id }, agent: false });
    req.end();
    const [response] = (await once(req, 'response')) as [IncomingMessage];
    response.read(0);
    await expectHeldBack(sent);
    expect(bytesInMemory() - before).toBeLessThan(32 * MEBIBYTE);
    expect(await digestOf(response)).toBe(bytes.digest);
  });

  test('F1 passes 64 MB on to a backend that reads slowly, without taking them into memory', async () => {
    const slow = await scriptedBackend(() => {}, { early: true });
    const other = await gateway({ express, proxy, options: { backends: slow.origin } });
    const bytes = streamedBytes(64 * MEBIBYTE);
    const before = bytesInMemory();
    const upload = http.request(`${other.url}/mcp`, { method: 'POST', agent: false });
    const sent = bytes.send(upload);
    const { req, res } = await slow.hit(0);
    await expectHeldBack(sent);
    expect(bytesInMemory() - before).toBeLessThan(32 * MEBIBYTE);
    expect(await digestOf(req)).toBe(bytes.digest);
    await sent;
    res.end('read');
    const [response] = (await once(upload, 'response')) as [IncomingMessage];
    expect(String(await response.toArray())).toBe('read');
  });
});
