import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import compression from 'compression';
import express from 'express';
import type { StatusPageOptions } from '../../../src/index.ts';
import { expressOf, gateway } from '../../helpers/gateway.ts';
import { openStream } from '../../helpers/mcp-client.ts';
import { runToEnd } from '../../helpers/run-to-end.ts';
import { statusGateway } from '../../helpers/status-gateway.ts';
import { ask, pressing, STATUS_PATH, watch } from '../../helpers/status-page.ts';
import { until } from '../../helpers/until.ts';
import { warnings } from '../../helpers/warnings.ts';

type Auth = Exclude<StatusPageOptions<express.Request, express.Response>['auth'], false>;

const MAJORS = [[4], [5]] as const;

describe.each(MAJORS)('the page on Express %d', (major) => {
  test.each([STATUS_PATH, `${STATUS_PATH}/`, `${STATUS_PATH}?from=bookmark`])(
    'is shown at %s',
    async (path) => {
      const { url } = await statusGateway({ express: major });
      const { status, headers, text } = await ask(url, path);
      expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(text).toContain('<h1>MCP sessions</h1>');
    },
  );

  test('runs its own script only, and is not kept, framed or read elsewhere', async () => {
    const { url } = await statusGateway({ express: major });
    const [one, other] = [await ask(url, STATUS_PATH), await ask(url, STATUS_PATH)];
    const nonces = [one, other].map(
      ({ headers }) => /'nonce-([\w+/]{24})'/.exec(String(headers['content-security-policy']))?.[1],
    );
    expect(new Set(nonces)).toHaveProperty('size', 2);
    expect(one.text).toContain(`<script nonce="${nonces[0]}">`);
    expect(one.headers).toMatchObject({
      'content-security-policy':
        `default-src 'none'; connect-src 'self'; img-src data:; script-src 'nonce-${nonces[0]}'; ` +
        `style-src 'nonce-${nonces[0]}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
  });

  test('answers HEAD without a body, and other methods and paths by what can be done', async () => {
    const { url } = await statusGateway({ express: major });
    const head = await ask(url, STATUS_PATH, { method: 'HEAD' });
    expect([head.status, head.text, Number(head.headers['content-length'])]).toEqual([
      200,
      '',
      expect.any(Number),
    ]);
    const refused: [string, string, string][] = [
      ['PUT', '', 'GET, HEAD'],
      ['POST', '/', 'GET, HEAD'],
      ['OPTIONS', '/drain', 'POST'],
      ['GET', '/drain', 'POST'],
      ['DELETE', '/undrain', 'POST'],
      ['POST', '/events', 'GET'],
    ];
    for (const [method, path, allow] of refused) {
      const { status, headers } = await ask(url, STATUS_PATH + path, { method });
      expect([method, path, status, headers.allow]).toEqual([method, path, 405, allow]);
    }
    expect((await ask(url, `${STATUS_PATH}/nothing`)).status).toBe(404);
  });
});

describe.each(MAJORS)('the page behind the middleware on Express %d', (major) => {
  test('works too, and its own requests are none of those that it shows', async () => {
    const gw = await gateway({
      express: major,
      options: { backends: 'http://127.0.0.1:1', sse: true },
      between: (app, sessions) =>
        void app.use('/deep/status', sessions.statusPage({ auth: false })),
    });
    expect((await ask(gw.url, '/deep/status')).text).toContain('<h1>MCP sessions</h1>');
    const { latest, snapshots } = await watch(gw.url, {}, '/deep/status/events');
    const press = pressing(gw.url, 'http://127.0.0.1:1', latest().gateway.id);
    expect((await ask(gw.url, '/deep/status/drain', press)).status).toBe(204);
    await until(() => snapshots.length > 2);
    expect(latest()).toMatchObject({ decisions: [], backends: [{ state: 'draining' }] });
  });
});

describe.each(MAJORS)('auth on Express %d', (major) => {
  const PATHS: [string, string][] = [
    ['GET', ''],
    ['HEAD', ''],
    ['GET', '/events'],
    ['POST', '/drain'],
    ['OPTIONS', '/drain'],
    ['GET', '/nothing'],
  ];

  test.each<[number, string, Auth]>([
    [403, 'says no', () => false],
    [403, 'says no later', async () => false],
    [403, 'says nothing', () => undefined as never],
    [403, 'says what is nearly yes', () => 1 as never],
    [401, 'asks for a password', (_req, res) => !res.set('WWW-Authenticate', 'Basic realm="x"')],
    [302, 'sends to the login', (_req, res) => Boolean(res.redirect('/login'))],
    [418, 'answers, and says yes', (_req, res) => res.status(418).end() !== undefined],
  ])('keeps out with %d who it %s', async (expected, _what, auth) => {
    const errors: unknown[] = [];
    const { url, origins, sessions } = await statusGateway({
      express: major,
      page: { auth },
      after: (app) =>
        void app.use((error: unknown, _req: unknown, _res: unknown, next: (e: unknown) => void) => {
          errors.push(error);
          next(error);
        }),
    });
    for (const [method, path] of PATHS) {
      const { status, text } = await ask(url, STATUS_PATH + path, { method });
      expect([method, path, status]).toEqual([method, path, expected]);
      expect(text).not.toContain('MCP sessions');
    }
    await ask(url, `${STATUS_PATH}/drain`, pressing(url, origins[0], 'x'));
    expect(sessions.backends.list().map(({ state }) => state)).toEqual(['up', 'up']);
    expect(errors).toEqual([]);
  });

  test.each<[string, Auth]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['rejects with nothing', () => Promise.reject(undefined)],
  ])('keeps everybody out with 500 if it %s', async (_what, auth) => {
    const warned = warnings();
    const { url } = await statusGateway({ express: major, page: { auth } });
    for (const [method, path] of PATHS)
      expect((await ask(url, STATUS_PATH + path, { method })).status).toBe(500);
    expect(warned).toHaveLength(PATHS.length);
  });

  test('that throws in the middle of an answer of its own breaks that off', async () => {
    const warned = warnings();
    const auth: Auth = (_req, res) => {
      res.writeHead(200);
      res.write('begun');
      throw new Error('broken');
    };
    const { url } = await statusGateway({ express: major, page: { auth } });
    await expect(ask(url, STATUS_PATH)).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    expect(warned).toEqual(['Error: broken']);
  });

  test('lets in who it says yes to, and is asked for each request', async () => {
    const asked: string[] = [];
    const auth: Auth = async (req) => {
      asked.push(`${req.method} ${req.originalUrl}`);
      return req.get('X-User') === 'ann';
    };
    const gw = await statusGateway({ express: major, page: { auth } });
    const headers = { 'X-User': 'ann' };
    expect((await ask(gw.url, STATUS_PATH, { headers })).status).toBe(200);
    const { latest } = await watch(gw.url, headers);
    const button = pressing(gw.url, gw.origins[0], latest().gateway.id);
    const press = { ...button, headers: { ...button.headers, ...headers } };
    expect((await ask(gw.url, `${STATUS_PATH}/drain`, press)).status).toBe(204);
    expect(asked).toEqual([
      `GET ${STATUS_PATH}`,
      `GET ${STATUS_PATH}/events`,
      `POST ${STATUS_PATH}/drain`,
    ]);
  });
});

describe.each(MAJORS)('a button on Express %d', (major) => {
  test('drains its backend, and takes it in again, which those who watch see at once', async () => {
    const { url, origins, sessions } = await statusGateway({ express: major });
    const { latest, snapshots } = await watch(url);
    const { id } = latest().gateway;
    const press = (what: string): Promise<{ status: number }> =>
      ask(url, `${STATUS_PATH}/${what}`, pressing(url, origins[1], id));
    expect((await press('drain')).status).toBe(204);
    expect(sessions.backends.list()[1]).toMatchObject({ state: 'draining' });
    expect((await press('undrain')).status).toBe(204);
    // Both in less than a second.
    const seen = (): string[] =>
      snapshots.map(({ backends }) => backends.map(({ state }) => state).join());
    await until(() => seen().at(-1) === 'up,up' && snapshots.length > 2);
    expect(seen()).toContain('up,draining');
  });

  test('works behind a parser that has read its body', async () => {
    const { json, text, raw } = expressOf(major);
    // The last one does not read it, and on Express 4 leaves an empty object all the same.
    const idle = json({ type: 'text/plain' });
    for (const parser of [json(), text({ type: '*/*' }), raw({ type: '*/*' }), idle]) {
      const gw = await statusGateway({ express: major, before: (app) => void app.use(parser) });
      const { latest } = await watch(gw.url);
      const press = pressing(gw.url, gw.origins[0], latest().gateway.id);
      expect((await ask(gw.url, `${STATUS_PATH}/drain`, press)).status).toBe(204);
      expect(gw.sessions.backends.list()[0]).toMatchObject({ state: 'draining' });
    }
  });

  test('says what it cannot do', async () => {
    const { url, origins } = await statusGateway({
      express: major,
      options: { backends: () => [{ url: 'http://127.0.0.1:1', draining: true }] },
    });
    const { latest } = await watch(url);
    await until(() => latest().backends.length === 1);
    const { id } = latest().gateway;
    const told = async (what: string, press: object): Promise<[number, string]> => {
      const { status, text } = await ask(url, `${STATUS_PATH}/${what}`, press);
      return [status, text];
    };
    const other = pressing(url, origins[0], id);
    expect(await told('drain', other)).toEqual([
      404,
      expect.stringContaining('is not one of them'),
    ]);
    expect(await told('undrain', pressing(url, 'http://127.0.0.1:1', id))).toEqual([
      409,
      'http://127.0.0.1:1 is draining because the list of backends says so: change it there.',
    ]);
    expect(await told('drain', pressing(url, origins[0], 'of another gateway'))).toEqual([
      409,
      expect.stringContaining('open the page at the address of that gateway'),
    ]);
    const long = `{"url":"${'x'.repeat(200_000)}"}`;
    for (const body of ['', '{', '[]', 'null', '{"url":1}', long])
      expect(await told('drain', { ...other, body })).toEqual([
        400,
        'The body must be {"url":"<origin>"}.',
      ]);
  });
});

describe('the event stream', () => {
  test('is neither kept nor gathered on its way, be there a compression or not', async () => {
    const { url } = await statusGateway({ before: (app) => void app.use(compression()) });
    const { res } = await watch(url, { 'Accept-Encoding': 'gzip' });
    expect(res.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      connection: 'close',
    });
    expect(res.headers['content-encoding']).toBeUndefined();
  });

  test('comes to a hundred, and the next one is told to come later', async () => {
    const { url } = await statusGateway();
    const watchers = await Promise.all(Array.from({ length: 100 }, () => watch(url)));
    const { status, headers } = await ask(url, `${STATUS_PATH}/events`);
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    watchers[0]?.leave();
    await until(async () =>
      watch(url).then(
        () => true,
        () => false,
      ),
    );
  });

  test('keeps no place for those who leave while a middleware before the page finds out who they are', async () => {
    const left: Promise<unknown>[] = [];
    const { url } = await statusGateway({
      before: (app) =>
        void app.use(STATUS_PATH, (req, res, next) => {
          if (req.get('X-Leaves') === undefined) {
            next();
            return;
          }
          left.push(once(res, 'close').then(() => next()));
          req.socket.destroy();
        }),
    });
    const headers = { 'X-Leaves': 'yes' };
    const leaving = Array.from({ length: 100 }, () =>
      ask(url, `${STATUS_PATH}/events`, { headers }),
    );
    await Promise.allSettled(leaving);
    await Promise.all(left);
    expect((await watch(url)).res.statusCode).toBe(200);
  });

  test.each([0, 10_000])(
    'G4: ends when the gateway closes, before what drains is waited for (drain: %d)',
    async (drain) => {
      const { url, sessions, server } = await statusGateway();
      const { closed, res } = await watch(url);
      server.close();
      await sessions.close({ drain });
      await closed;
      expect(res.complete).toBe(true);
      await until(
        async () => new Promise((resolve) => server.getConnections((_e, n) => resolve(n === 0))),
      );
    },
  );

  test('does not hold up a gateway that drains its own streams and requests', async () => {
    const { url, sessions } = await statusGateway();
    const stream = await openStream({ url }, undefined);
    const { closed } = await watch(url);
    const began = performance.now();
    await sessions.close({ drain: 60_000 });
    await Promise.all([closed, stream.closed]);
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  test('G4: a process whose page is watched ends when its gateway is closed', async () => {
    expect(await runToEnd('life/watched-gateway.ts')).toEqual({
      code: 0,
      output: 'watched\nclosed\n',
    });
  });
});
