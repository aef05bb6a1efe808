import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import express, { type Express, type RequestHandler } from 'express';
import { fixRequestBody } from 'http-proxy-middleware';
import request from 'supertest';
import { expressOf, gateway, type Gateway } from '../../helpers/gateway.ts';
import { call, openSession, post, VERSION_HEADERS } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { sessionLines } from '../../helpers/raw-mcp.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { scriptedBackend, type ScriptedBackend } from '../../helpers/scripted-backend.ts';

const COMPACT = '{"jsonrpc":"2.0","id":3,"method":"tools/list"}';
const ODD = '{ "jsonrpc":"2.0", "id":12345678901234567890, "a":1, "a":2 }';

const keepRawBody = express.json({
  verify(req: object, _res, bytes) {
    Object.assign(req, { rawBody: bytes });
  },
});

describe.each(stacks)('$name', ({ app: major, proxy }) => {
  const parsers = expressOf(major);

  async function behind(
    parser: RequestHandler | undefined,
    proxyOptions = {},
  ): Promise<{ gw: Gateway; backend: ScriptedBackend; id: string; lines: string[] }> {
    const backend = await scriptedBackend();
    const before = (app: Express): unknown => parser && app.use(parser);
    const options = { backends: backend.origin };
    const gw = await gateway({ express: major, proxy, before, options, proxyOptions });
    const id = await openSession(gw);
    return { gw, backend, id, lines: [...sessionLines(id), 'Connection: close'] };
  }

  /** What the backend got of a body that was sent in one piece. */
  async function received(
    parser: RequestHandler | undefined,
    body: string | Buffer,
    headers: string[] = ['Content-Type: application/json'],
  ): Promise<{ body: string; headers: object }> {
    const { gw, backend, lines } = await behind(parser);
    await rawHttp(gw.url, rawRequest('POST /mcp', [...lines, ...headers], body));
    const hit = await backend.hit(1);
    return { body: hit.body.toString(), headers: hit.headers };
  }

  test('F2 works after express.json()', async () => {
    expect((await received(parsers.json(), COMPACT)).body).toBe(COMPACT);
  });

  test('F2 works before express.json(), for the routes behind it', async () => {
    const backend = await scriptedBackend();
    const gw = await gateway({
      express: major,
      proxy,
      options: { backends: backend.origin },
      between(app) {
        app.use('/own', parsers.json());
        app.post('/own', (req, res) => void res.end(JSON.stringify(req.body)));
      },
    });
    expect((await post(gw, COMPACT, {}, '/own')).text).toBe(COMPACT);
    expect((await call(gw, await openSession(gw))).status).toBe(200);
  });

  test('F2 sends the bytes that a parser has kept as req.rawBody', async () => {
    expect((await received(keepRawBody, ODD)).body).toBe(ODD);
  });

  test('F2 sends a body that was inflated without Content-Encoding', async () => {
    const headers = ['Content-Type: application/json', 'Content-Encoding: gzip'];
    const sent = await received(parsers.json(), gzipSync(COMPACT), headers);
    expect(sent.body).toBe(COMPACT);
    expect(sent.headers).toMatchObject({ 'content-length': String(COMPACT.length) });
    expect(sent.headers).not.toHaveProperty('content-encoding');
  });

  test('F2 sends a compressed body that nobody has read as it is', async () => {
    const backend = await scriptedBackend();
    const gw = await gateway({ express: major, proxy, options: { backends: backend.origin } });
    const zipped = gzipSync(COMPACT);
    const lines = ['Content-Encoding: gzip', 'Connection: close'];
    await rawHttp(gw.url, rawRequest('POST /mcp', lines, zipped));
    expect((await backend.hit(0)).body).toEqual(zipped);
  });

  test('F2 sends a text and a form that were read', async () => {
    const text = await received(parsers.text(), 'grüße', ['Content-Type: text/plain']);
    expect(text.body).toBe('grüße');
    const form = ['Content-Type: application/x-www-form-urlencoded'];
    const sent = await received(parsers.urlencoded({ extended: true }), 'a=1&b=%26+2&b=3', form);
    expect(sent.body).toBe('a=1&b=%26+2&b=3');
  });

  test('F2 answers at once when a body was read that cannot be written out anew', async () => {
    const { gw, backend, id } = await behind(parsers.urlencoded({ extended: true }));
    const answer = await request(gw.url)
      .post('/mcp')
      .set('Mcp-Session-Id', id)
      .set(VERSION_HEADERS)
      .type('form')
      .send('a[b]=1');
    expectRefusal(answer, 'upstream_failed');
    expect(backend.hits).toHaveLength(1);
  });

  test.each([
    ['an empty body', ['Content-Length: 0'], ''],
    ['an empty chunked body', ['Transfer-Encoding: chunked'], '0\r\n\r\n'],
  ])('F2 sends %s on, whether it was read or not', async (_title, headers, body) => {
    for (const parser of [undefined, parsers.text()]) {
      expect((await received(parser, body, headers)).body).toBe('');
    }
  });

  if (proxy !== 'forward') {
    test('F2 is no second body besides fixRequestBody', async () => {
      const { gw, backend, id } = await behind(parsers.json(), {
        on: { proxyReq: fixRequestBody },
      });
      expect((await call(gw, id)).status).toBe(200);
      expect((await call(gw, id)).status).toBe(200);
      expect(backend.hits).toHaveLength(3);
    });

    test('F2 lets on.proxyReq set headers, on new connections and on kept ones', async () => {
      const proxyReq = (outgoing: { setHeader(name: string, value: string): void }): void =>
        outgoing.setHeader('X-Added', 'by the app');
      const { gw, backend, id } = await behind(undefined, { on: { proxyReq } });
      await request(gw.url).get('/mcp');
      await call(gw, id);
      const added = backend.hits.map(({ headers }) => headers['x-added']);
      expect(added).toEqual(['by the app', 'by the app', 'by the app']);
    });
  }
});
