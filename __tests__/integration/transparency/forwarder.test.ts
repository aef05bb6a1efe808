import { randomBytes } from 'node:crypto';
import http from 'node:http';
import net, { type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import compression from 'compression';
import express from 'express';
import { mcpSessionRouting, sessionForwarder } from '../../../src/index.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import { gateway, type Gateway, type GatewayOptions } from '../../helpers/gateway.ts';
import { turns, waitingGateway } from '../../helpers/held-opening.ts';
import { listen } from '../../helpers/listen.ts';
import { call, initialize, openSession, openSessions } from '../../helpers/mcp-client.ts';
import { chunked, parseRaw, rawConnection, rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { rawOpening, sessionLines } from '../../helpers/raw-mcp.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import {
  CERTIFICATE,
  scriptedBackend,
  type ScriptedBackend,
} from '../../helpers/scripted-backend.ts';
import { until } from '../../helpers/until.ts';
import { warnings } from '../../helpers/warnings.ts';

async function start(
  proxyOptions: Record<string, unknown> = {},
  more: GatewayOptions = {},
): Promise<{ gw: Gateway; backend: ScriptedBackend }> {
  const backend = await scriptedBackend();
  const options = { backends: backend.origin, ...more.options };
  return { backend, gw: await gateway({ ...more, proxy: 'forward', proxyOptions, options }) };
}

const CLOSE = 'Connection: close';
const FORGED = [
  ...['X-Forwarded-For: 1.2.3.4', 'X-Forwarded-Host: forged', 'X-Forwarded-Proto: gopher'],
  ...['X-Forwarded-Port: 1', 'Forwarded: for=1.2.3.4'],
];

describe('sessionForwarder: what a backend is told', () => {
  test('the Host of the client, or its own', async () => {
    for (const changeOrigin of [false, true]) {
      const { gw, backend } = await start({ changeOrigin });
      await rawHttp(gw.url, rawRequest('GET /mcp', [CLOSE]));
      const { host } = (await backend.hit(0)).headers;
      expect(host).toBe(changeOrigin ? new URL(backend.origin).host : 'gateway');
    }
  });

  test('without xfwd the client says who it is', async () => {
    const { gw, backend } = await start();
    await rawHttp(gw.url, rawRequest('GET /mcp', [CLOSE, ...FORGED]));
    expect((await backend.hit(0)).headers).toMatchObject({
      'x-forwarded-for': '1.2.3.4',
      forwarded: 'for=1.2.3.4',
    });
  });

  test.each([[5], ['none']] as const)('with xfwd the gateway does (app: %s)', async (app) => {
    const { gw, backend } = await start({ xfwd: true }, { express: app });
    await rawHttp(gw.url, rawRequest('GET /mcp', [CLOSE, ...FORGED]));
    const { headers } = await backend.hit(0);
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'gateway',
      'x-forwarded-proto': 'http',
    });
    expect(headers).not.toHaveProperty('forwarded');
    expect(headers).not.toHaveProperty('x-forwarded-port');
  });

  test('with xfwd a proxy that the app trusts is believed', async () => {
    const before = (app: express.Express): unknown => app.set('trust proxy', 'loopback');
    const { gw, backend } = await start({ xfwd: true }, { before });
    const lines = ['X-Forwarded-For: 192.0.2.7', 'X-Forwarded-Proto: https'];
    await rawHttp(gw.url, rawRequest('GET /mcp', [CLOSE, ...lines]));
    expect((await backend.hit(0)).headers).toMatchObject({
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-proto': 'https',
    });
  });

  test('headers as the app has set and removed them', async () => {
    const before = (app: express.Express): unknown =>
      app.use((req, _res, next) => {
        req.headers['x-user'] = 'me';
        delete req.headers.authorization;
        next();
      });
    const { gw, backend } = await start({}, { before });
    await initialize(gw, { Authorization: 'Bearer token' });
    const { headers } = await backend.hit(0);
    expect(headers).toMatchObject({ 'x-user': 'me' });
    expect(headers).not.toHaveProperty('authorization');
  });

  test('a body in one piece where it came in one, also of a GET and a DELETE', async () => {
    const { gw, backend } = await start();
    for (const [at, method] of ['POST', 'GET', 'DELETE', 'OPTIONS'].entries()) {
      await rawHttp(gw.url, rawRequest(`${method} /mcp`, [CLOSE], '{"a":1}'));
      const hit = await backend.hit(at);
      expect([hit.method, hit.body.toString()]).toEqual([method, '{"a":1}']);
      expect(hit.headers['content-length']).toBe('7');
    }
  });
});

describe('sessionForwarder: where a request goes that has no backend', () => {
  test('nowhere: the error names the remedy', async () => {
    const errors: unknown[] = [];
    const remember: express.ErrorRequestHandler = (error, _req, res, _next) => {
      errors.push(error);
      res.status(500).end();
    };
    const after = (app: express.Express): unknown => app.use(remember);
    for (const bare of [false, true]) {
      const gw = await gateway({ proxy: 'forward', bare, after });
      await initialize(gw).expect(500);
    }
    const remedies = ['give mcpSessionRouting "backends"', 'mcpSessionRouting has not seen'];
    expect(errors).toEqual(
      remedies.map((remedy) =>
        expect.objectContaining({
          code: 'invalid_option',
          message: expect.stringContaining(remedy) as unknown,
        }),
      ),
    );
  });

  test('to the target, also if the middleware has not seen it', async () => {
    const target = await scriptedBackend();
    for (const bare of [false, true]) {
      const proxyOptions = { target: target.origin };
      const gw = await gateway({ proxy: 'forward', bare, proxyOptions });
      const id = await openSession(gw);
      await call(gw, id).expect(200);
    }
    expect(target.hits).toHaveLength(4);
  });

  test('a target that fails is told to the app, if the middleware has not seen the request', async () => {
    const target = await scriptedBackend();
    const proxyOptions = { target: target.origin };
    const gw = await gateway({ proxy: 'forward', bare: true, proxyOptions });
    target.answer = ({ res }) => res.socket?.destroy();
    await initialize(gw).expect(500);
    await target.refuse();
    await initialize(gw).expect(500);
    expect(target.hits).toHaveLength(1);
  });

  test('without next it is answered all the same', async () => {
    const forward = sessionForwarder();
    const server = http.createServer((req, res) => forward(req, res));
    const warned = warnings();
    const listening = await listen(server);
    onCleanup(() => listening.close());
    const { origin } = listening;
    const answer = parseRaw(await rawHttp(origin, rawRequest('POST /mcp', [], '{}')));
    expect(answer.status).toBe(500);
    expect(answer.body).toBe('The request could not be forwarded\n');
    expect(warned.join()).toContain('mount it before');
  });
});

describe('sessionForwarder: answers', () => {
  test('D7: one that does not begin within headersTimeout is 504, and is not sent again', async () => {
    const { gw, backend } = await start({ headersTimeout: 300 });
    const id = await openSession(gw);
    backend.answer = () => {};
    expectRefusal(await call(gw, id), 'upstream_timeout');
    expect(backend.hits).toHaveLength(2);
    backend.answer = undefined;
    await call(gw, id).expect(200);
  });

  test('without headersTimeout one may take as long as it likes, also between two events', async () => {
    const { gw, backend } = await start();
    const id = await openSession(gw);
    backend.answer = ({ res }) => setTimeout(() => res.end('late'), 1500);
    expect((await call(gw, id)).text).toBe('late');
  });

  test('hints pass before the answer, without the session of anybody', async () => {
    const { gw, backend } = await start();
    const id = await openSession(gw);
    backend.answer = ({ res }) => {
      res.writeProcessing();
      res.writeEarlyHints({ link: '</style.css>; rel=preload', 'mcp-session-id': 'another' });
      res.end('{}');
    };
    const text = await rawHttp(gw.url, rawRequest('GET /mcp', [...sessionLines(id), CLOSE]));
    expect(text).toMatch(
      /^HTTP\/1.1 103 Early Hints\r\nLink: <\/style.css>; rel=preload\r\n\r\nHTTP\/1.1 200 OK\r\n/,
    );
    expect(text).not.toContain('another');
  });

  test('a client of HTTP/1.0 gets no hints and no chunks', async () => {
    const { gw, backend } = await start();
    backend.answer = ({ res }) => {
      res.writeEarlyHints({ link: '</style.css>; rel=preload' });
      res.write('one, ');
      res.end('two');
    };
    const text = await rawHttp(gw.url, 'GET /mcp HTTP/1.0\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(parseRaw(text).body).toBe('one, two');
    expect(text).not.toMatch(/transfer-encoding/i);
  });

  test('to HEAD there is a head only, and the next request on the connection is answered', async () => {
    const { gw, backend } = await start();
    backend.answer = ({ method, res }) => {
      res.setHeader('Content-Length', 5);
      res.end(method === 'HEAD' ? undefined : 'hello');
    };
    const client = await rawConnection(gw.url);
    client.write(rawRequest('HEAD /mcp', []));
    await client.until('Content-Length: 5');
    client.write(rawRequest('GET /mcp', []));
    await client.until('hello');
    expect(client.text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
  });

  test('one that comes before the body was sent leaves the connection fit for the next request', async () => {
    const backend = await scriptedBackend(({ res }) => res.end('early'), { early: true });
    const gw = await gateway({ proxy: 'forward', options: { backends: backend.origin } });
    const client = await rawConnection(gw.url);
    client.write(rawRequest('POST /mcp', ['Content-Length: 4'], '{'));
    await client.until('early');
    client.write('  }');
    client.write(rawRequest('GET /mcp?next', [CLOSE]));
    await client.closed;
    expect(client.text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
  });

  test('one in trailers carries no session id', async () => {
    const { gw, backend } = await start();
    backend.answer = ({ res }) => {
      res.write('{}');
      res.addTrailers({ 'Mcp-Session-Id': 'stray', 'X-Sum': '7' });
      res.end();
    };
    const text = await rawHttp(gw.url, rawRequest('POST /mcp', [CLOSE], '{}'));
    expect(text).toMatch(/\r\n0\r\nX-Sum: 7\r\n\r\n$/);
  });
});

/** A server that answers each request by these bytes. */
async function rawBackend(
  answer: string,
  then: (socket: Socket) => unknown = () => {},
): Promise<string> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.write(answer);
      then(socket);
    });
  });
  const listening = await listen(server);
  onCleanup(() => listening.close());
  return listening.origin;
}

const INITIALIZED = 'Content-Type: application/json\r\nMcp-Session-Id: s-1\r\n';
const end = (socket: Socket): unknown => socket.end();
/** When what was written before has been read. */
const reset = (socket: Socket): unknown => setTimeout(() => socket.resetAndDestroy(), 50);

describe('sessionForwarder: a backend that closes its connection', () => {
  test.each([
    ['HTTP/1.1, with a length', `HTTP/1.1 200 OK\r\n${INITIALIZED}Content-Length: 2\r\n\r\n{}`],
    [
      'Connection: close, with a length',
      `HTTP/1.1 200 OK\r\nConnection: close\r\n${INITIALIZED}Content-Length: 2\r\n\r\n{}`,
    ],
    [
      'Connection: close, in chunks',
      `HTTP/1.1 200 OK\r\nConnection: close\r\n${INITIALIZED}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ],
    ['Connection: close', `HTTP/1.1 200 OK\r\nConnection: close\r\n${INITIALIZED}\r\n{}`],
    ['HTTP/1.0', `HTTP/1.0 200 OK\r\n${INITIALIZED}\r\n{}`],
  ])('B1, G2: while its answer is held (%s)', async (_how, bytes) => {
    const backends = await rawBackend(bytes, end);
    const { gw, store } = await waitingGateway({ proxy: 'forward', options: { backends } });
    const client = await rawConnection(gw.url);
    client.write(rawOpening());
    const pending = await store.asked();
    // Long after the backend has gone.
    await turns(gw);
    pending.store();
    expect(await client.until('{}')).toMatch(/^HTTP\/1.1 200 OK/);
    expect(client.text).toContain('s-1');
  });

  test('D5: by a reset, in an answer without a length: it does not end cleanly', async () => {
    const head = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n';
    const backends = await rawBackend(`${head}data: 1\n\n`, reset);
    const gw = await gateway({ proxy: 'forward', options: { backends } });
    const client = await rawConnection(gw.url);
    client.write(rawRequest('GET /mcp', []));
    await client.until('data: 1');
    await client.closed;
    expect(client.text).not.toContain('\r\n0\r\n\r\n');
  });

  test('by a reset, while a request waits for it: another one is used', async () => {
    const { gw, backend } = await start();
    const client = await rawConnection(gw.url);
    const id = await openSession(gw);
    // Both are there when the gateway looks.
    client.write(
      rawRequest('POST /mcp', sessionLines(id), '{"jsonrpc":"2.0","id":1,"method":"x"}'),
    );
    for (const socket of backend.sockets) socket.resetAndDestroy();
    expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1.1 200 OK/);
  });
});

describe('sessionForwarder: odd answers', () => {
  const answered = async (bytes: string, lines: string[] = []): Promise<string> => {
    const backends = await rawBackend(bytes);
    const gw = await gateway({ proxy: 'forward', options: { backends } });
    return rawHttp(gw.url, rawRequest('GET /mcp', [CLOSE, ...lines]));
  };
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n';

  test('F1: headers that are there twice arrive twice', async () => {
    const twice = ['Set-Cookie: a=1', 'Set-Cookie: b=2', 'Link: <a>', 'Link: <b>', 'Link: <c>'];
    const answer = parseRaw(await answered(`${OK}${twice.join('\r\n')}\r\n\r\nok`));
    const values = answer.headers
      .filter(([name]) => /cookie|link/.test(name))
      .map(([, value]) => value);
    expect(values).toEqual(['a=1', 'b=2', '<a>', '<b>', '<c>']);
  });

  test('F4: Connection may be there twice', async () => {
    const head = `${OK}Connection: keep-alive\r\nConnection: X-One\r\nX-One: 1\r\n\r\nok`;
    const answer = parseRaw(await answered(head));
    expect([answer.status, answer.body, answer.header('x-one')]).toEqual([200, 'ok', undefined]);
  });

  test.each([
    ['a list', '</a.css>; rel=preload, </b.js>; rel=preload', true],
    ['what node:http takes for none', '</a.css>; rel="preload stylesheet"', false],
  ])('hints that are %s harm nobody', async (_what, link, passed) => {
    const hints = `HTTP/1.1 103 Early Hints\r\nLink: ${link}\r\n\r\n`;
    const text = await answered(`${hints}${OK}\r\nok`);
    expect(text).toMatch(/HTTP\/1.1 200 OK\r\n[^]*ok$/);
    expect(text.includes('/a.css')).toBe(passed);
  });

  test.each([204, 304])('a %d with a length has no body all the same', async (status) => {
    const text = await answered(`HTTP/1.1 ${status} Fine\r\nContent-Length: 5\r\n\r\n`);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} Fine\\r\\n`));
    expect(text).toMatch(/\r\n\r\n$/);
  });

  test('an unasked-for 100 counts as broken off', async () => {
    const text = await answered(`HTTP/1.1 100 Continue\r\n\r\n${OK}\r\nok`);
    expect(text).toMatch(/^HTTP\/1.1 502 [^]*"reason":"upstream_failed"/);
  });
});

describe('sessionForwarder: what an app does', () => {
  const habits: Record<string, (req: express.Request) => unknown> = {
    'listens to the body': (req) => req.on('data', () => {}),
    'lets the body flow': (req) => req.resume(),
    'reads it as latin1': (req) => req.setEncoding('latin1'),
  };

  test.each(Object.entries(habits))('F1: one that %s takes nothing away', async (_what, habit) => {
    const before = (app: express.Express): unknown =>
      app.use((req, _res, next) => {
        habit(req);
        next();
      });
    const { gw, backend } = await start({}, { before });
    for (const [at, lines] of [[], ['Transfer-Encoding: chunked']].entries()) {
      const body = lines.length === 0 ? '{"é":1}' : chunked('{"é":1}');
      await rawHttp(gw.url, rawRequest('POST /mcp', [CLOSE, ...lines], body));
      expect((await backend.hit(at)).body.toString()).toBe('{"é":1}');
    }
  });

  test('F1: one that has taken the beginning of a body away gets no answer to the rest', async () => {
    const before = (app: express.Express): unknown =>
      app.use((req, _res, next) => void req.once('data', () => next()));
    const { gw, backend } = await start({}, { before });
    const text = await rawHttp(gw.url, rawRequest('POST /mcp', [CLOSE], '{"a":1}'));
    expect(text).toMatch(/^HTTP\/1.1 502 /);
    expect(backend.hits).toEqual([]);
  });

  test('a header that it has made impossible is its own mistake', async () => {
    const before = (app: express.Express): unknown =>
      app.use((req, _res, next) => {
        req.headers['x-user'] = '€';
        next();
      });
    const { gw, backend } = await start({}, { before });
    await initialize(gw).expect(500);
    expect([backend.hits, gw.sessions.backends.list()[0]?.state]).toEqual([[], 'up']);
  });

  test('middleware that looks at what is written gets bytes', async () => {
    const seen: unknown[] = [];
    const { gw, backend } = await start(
      {},
      {
        before: (app) =>
          app.use((_req, res, next) => {
            const end = res.end.bind(res);
            res.end = (...args: unknown[]) => {
              seen.push(args[0]);
              return Reflect.apply(end, res, args) as typeof res;
            };
            next();
          }),
      },
    );
    const id = await openSession(gw);
    backend.answer = ({ res }) => res.end('{"fox":"\u{1f98a}"}');
    await call(gw, id);
    expect(seen.at(-1)).toEqual(Buffer.from('{"fox":"\u{1f98a}"}'));
  });

  test('one that compresses gets no listener for each pause', async () => {
    const warned = warnings();
    const { gw, backend } = await start({}, { before: (app) => app.use(compression()) });
    const text = randomBytes(2_000_000).toString('hex');
    backend.answer = ({ res }) => res.setHeader('Content-Type', 'text/plain').end(text);
    const lines = [CLOSE, 'Accept-Encoding: gzip'];
    const answer = await rawHttp(gw.url, rawRequest('GET /mcp', lines));
    expect(answer).toMatch(/content-encoding: gzip/i);
    expect(warned).toEqual([]);
  });

  test.each(['at once', 'later'])('C4: a lost session is noticed, forwarded %s', async (when) => {
    const between = (app: express.Express): unknown =>
      app.use((_req, _res, next) => void (when === 'later' ? setImmediate(next) : next()));
    const { gw, backend } = await start({}, { between });
    const id = await openSession(gw);
    backend.answer = ({ res }) => res.writeHead(404).end();
    await call(gw, id).expect(404);
    backend.answer = ({ res }) => res.end('{}');
    expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    expect(backend.hits).toHaveLength(2);
  });

  test('C4: a handler of its own that answers in place of a backend is watched', async () => {
    const lost = { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Session not found' } };
    const between = (app: express.Express): unknown =>
      app.use((req, res, next) => {
        if (req.headers['x-own'] === undefined) next();
        else setImmediate(() => res.status(404).json(lost));
      });
    const { gw, backend } = await start({}, { between });
    const id = await openSession(gw);
    await call(gw, id).set('X-Own', '1').expect(404);
    expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    expect(backend.hits).toHaveLength(1);
  });

  test('C5: what its handler makes of a refusal says nothing of the session', async () => {
    const handler = (_req: unknown, res: express.Response): unknown =>
      setImmediate(() => res.status(400).send('No valid session ID provided'));
    const { gw, backend } = await start({}, { options: { handler } });
    const id = await openSession(gw);
    const lines = [...sessionLines(id), CLOSE];
    const answer = await rawHttp(gw.url, rawRequest('POST /mcp/../mcp', lines, '{}'));
    expect(answer).toMatch(/^HTTP\/1.1 400 .*No valid session ID provided$/s);
    await call(gw, id).expect(200);
    expect(backend.hits).toHaveLength(2);
  });

  test('trusts a proxy: the Host that it tells is told on', async () => {
    const before = (app: express.Express): unknown => app.set('trust proxy', 'loopback');
    const { gw, backend } = await start({ xfwd: true }, { before });
    await rawHttp(gw.url, rawRequest('GET /mcp', [CLOSE, 'X-Forwarded-Host: public.example, b']));
    expect((await backend.hit(0)).headers['x-forwarded-host']).toBe('public.example');
  });
});

describe('sessionForwarder: connections', () => {
  const sockets = ({ hits }: ScriptedBackend): number =>
    new Set(hits.map(({ req }) => req.socket)).size;

  test('they are used again, the last one first', async () => {
    const { gw, backend } = await start();
    const [id = ''] = await openSessions(gw, 1);
    await Promise.all(Array.from({ length: 10 }, () => call(gw, id)));
    const before = sockets(backend);
    for (let turn = 0; turn < 20; turn += 1) await call(gw, id).expect(200);
    expect(sockets(backend)).toBe(before);
    expect(new Set(backend.hits.slice(-20).map(({ req }) => req.socket)).size).toBe(1);
  });

  test('they do not depend on the Host of the client', async () => {
    const backend = await scriptedBackend(undefined, { tls: true });
    const options = { backends: backend.origin };
    const gw = await gateway({ proxy: 'forward', options, proxyOptions: { secure: false } });
    for (const host of ['a.example', 'b.example', 'a.example'])
      await initialize(gw, { Host: host }).expect(200);
    expect(sockets(backend)).toBe(1);
  });

  test('D2: what this package asks a backend itself it asks with the same TLS options', async () => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map((name) => scriptedBackend(undefined, { name, tls: true })),
    );
    const options = { backends: [a?.origin ?? '', b?.origin ?? ''], recover: true };
    const proxyOptions = { ca: CERTIFICATE.cert };
    const gw = await gateway({ proxy: 'forward', options, proxyOptions });
    const id = await openSession(gw);
    await a?.refuse();
    await call(gw, id).expect(200);
    expect(b?.hits.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
    // Certificates of nobody are refused there as here.
    const strict = await gateway({ proxy: 'forward', options });
    expectRefusal(await initialize(strict), 'no_backend');
  });

  test('the TLS options lead to no other place', async () => {
    const backend = await scriptedBackend(undefined, { tls: true });
    const gw = await gateway({
      proxy: 'forward',
      options: { backends: backend.origin },
      proxyOptions: { tls: { ca: CERTIFICATE.cert, host: '192.0.2.1', port: 1, path: '/none' } },
    });
    expect((await initialize(gw)).status).toBe(200);
    expect(backend.hits).toHaveLength(1);
  });

  test('those of a backend that is taken off the list are closed, one with a request on it afterwards', async () => {
    const backends = await Promise.all([scriptedBackend(), scriptedBackend()]);
    const [a, b] = backends;
    let list = backends.map(({ origin }) => origin);
    const options = {
      backends: { list: () => list, refresh: 20 },
      balance: (candidates: readonly string[]) => candidates[0] ?? '',
    };
    const gw = await gateway({ proxy: 'forward', options });
    await gw.sessions.ready();
    const id = await openSession(gw);
    let finish = (): unknown => undefined;
    a.answer = ({ res }) => void (finish = () => res.end('done'));
    const slow = call(gw, id).then(({ text }) => text);
    await a.hit(1);
    list = [b.origin];
    await until(() => gw.sessions.backends.list().length === 1);
    finish();
    expect(await slow).toBe('done');
    await until(() => a.sockets.size === 0);
    expect(await openSession(gw)).toMatch(/^b-/);
    expect(b.hits).toHaveLength(1);
  });

  test('a backend may have an IPv6 address', async () => {
    const backend = await scriptedBackend();
    const backends = backend.origin.replace('127.0.0.1', '[::ffff:127.0.0.1]');
    const gw = await gateway({ proxy: 'forward', options: { backends } });
    await call(gw, await openSession(gw)).expect(200);
    expect(backend.hits).toHaveLength(2);
  });

  test('close() of the middleware closes them', async () => {
    const { gw, backend } = await start();
    await openSession(gw);
    expect(backend.sockets.size).toBe(1);
    await gw.sessions.close();
    // Long before they would be closed for being free.
    await until(() => backend.sockets.size === 0, 2000);
  });

  test('one forwarder serves two middlewares', async () => {
    const [a, b] = await Promise.all([scriptedBackend(), scriptedBackend()]);
    const forward = sessionForwarder();
    const app = express();
    for (const [path, backend] of Object.entries({ '/a': a, '/b': b })) {
      const sessions = mcpSessionRouting(null, { backends: backend.origin });
      onCleanup(() => sessions.close());
      app.use(path, sessions, forward);
    }
    const listening = await listen(http.createServer(app));
    onCleanup(() => listening.close());
    const { origin } = listening;
    for (const path of ['/a/mcp', '/b/mcp'])
      await initialize({ url: origin }, {}, path).expect(200);
    expect([a, b].map(({ hits }) => hits.map(({ url }) => url))).toEqual([['/a/mcp'], ['/b/mcp']]);
  });
});
