import { expect, jest } from '@jest/globals';
import type { ErrorRequestHandler, Express } from 'express';
import request from 'supertest';
import type { Logger, SessionEvents } from '../../../src/index.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import {
  call,
  INITIALIZE,
  initialize,
  ofSession,
  openSession,
  openSessions,
  openStream,
  post,
  terminate,
  TOOLS_LIST,
} from '../../helpers/mcp-client.ts';
import { rawConnection, rawRequest } from '../../helpers/raw-http.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { keyOf, scriptedStore } from '../../helpers/scripted-store.ts';
import type { Rule } from './rule.ts';

/** A logger and listeners that keep all they are told. */
function listeners(): {
  logger: Logger;
  on: Required<SessionEvents>;
  lines: string[];
  events: unknown[];
} {
  const lines: string[] = [];
  const events: unknown[] = [];
  const log = (line: string): void => void lines.push(line);
  const note =
    (name: string) =>
    (event: object): void =>
      void events.push({ name, ...event });
  return {
    logger: { info: log, warn: log, error: log },
    on: {
      opened: note('opened'),
      recovered: note('recovered'),
      ended: note('ended'),
      refused: note('refused'),
      storeFailed: note('storeFailed'),
      backendDown: note('backendDown'),
      backendUp: note('backendUp'),
      discoveryFailed: note('discoveryFailed'),
    },
    lines,
    events,
  };
}

function fail(): never {
  throw new Error('out of order');
}

/** The error handler of an app. */
function answerErrors(app: Express): void {
  const answer: ErrorRequestHandler = (_error, _req, res, _next) => {
    res.statusCode = 500;
    res.end('told');
  };
  app.use(answer);
}

/** Whatever is called on it throws. */
function throwing<T extends object>(names: readonly (keyof T)[]): T {
  const fail = (): never => {
    throw new Error('the listener is out of order');
  };
  return Object.fromEntries(names.map((name) => [name, fail])) as T;
}

export const life: readonly Rule[] = [
  {
    id: 'G1',
    title:
      'logs and events name a session by the first 12 digits of its hash, and hold no id or token',
    async run(env) {
      const store = scriptedStore();
      const { logger, on, lines, events } = listeners();
      const { gw, a } = await env.routed(1, { store, options: { logger, on, cache: false } });
      const id = await openSession(gw);
      await post(gw, TOOLS_LIST, { ...ofSession(id), Authorization: 'Bearer t0ken' }).expect(200);
      await call(gw, 'never-issued-id');
      await call(gw, 'not a valid id');
      store.fault = 'reject';
      await call(gw, id);
      store.fault = undefined;
      store.put(id, 'garbage');
      await call(gw, id);
      const lost = await openSession(gw);
      await a.refuse();
      await call(gw, lost);
      const told = [...lines, JSON.stringify(events)].join('\n');
      for (const secret of [id, lost, 't0ken', 'never-issued-id', 'not a valid id', keyOf(id)]) {
        expect(told).not.toContain(secret);
      }
      expect(lines[0]).toBe(`session ${keyOf(id).slice(0, 12)} opened on ${a.origin}`);
      const session = keyOf(lost).slice(0, 12);
      expect(events).toContainEqual({ name: 'opened', session, backend: a.origin });
      expect(events).toContainEqual({ name: 'refused', session, reason: 'session_lost' });
      expect(events).toContainEqual({ name: 'ended', session, reason: 'lost' });
    },
  },
  {
    id: 'G1',
    title:
      'without the plugin, what reaches the error handler of the app holds no id and no address',
    only: 'http-proxy-middleware',
    async run(env) {
      const errors: unknown[] = [];
      const { gw, backends } = await env.routed(2, {
        proxyOptions: { plugins: undefined },
        after: (app) =>
          app.use(
            (
              error: unknown,
              _req: unknown,
              res: { sendStatus(code: number): void },
              _next: unknown,
            ) => {
              errors.push(error);
              res.sendStatus((error as { status: number }).status);
            },
          ),
      });
      const id = await openSession(gw);
      await request(gw.url).get('/mcp/..%2fadmin').set(ofSession(id)).expect(400);
      expect(errors).toMatchObject([{ code: 'invalid_path', status: 400 }]);
      const told = errors.map((error) => (error as Error).stack).join();
      for (const secret of [id, ...backends.map(({ origin }) => origin)]) {
        expect(told).not.toContain(secret);
      }
    },
  },
  {
    id: 'G2',
    title: 'no request that can be written ends the gateway',
    async run(env) {
      const { gw } = await env.routed(1);
      const id = await openSession(gw);
      const pin = [`Mcp-Session-Id: ${id}`, 'MCP-Protocol-Version: 2025-11-25'];
      const requests = [
        '\0\0\0\0',
        'GET\r\n\r\n',
        'POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        rawRequest('POST http://other.example/mcp', [...pin, 'Connection: close'], TOOLS_LIST),
        rawRequest('POST *', [...pin, 'Connection: close'], TOOLS_LIST),
        rawRequest('POST //', [...pin, 'Connection: close'], TOOLS_LIST),
        rawRequest('POST /%', [...pin, 'Connection: close'], TOOLS_LIST),
        rawRequest('OPTIONS *', ['Connection: close']),
        rawRequest('POST /mcp', ['Mcp-Session-Id: __proto__', 'Connection: close'], '[[[['),
        rawRequest('POST /mcp', ['Mcp-Session-Id: x', 'Connection: close'], '['.repeat(200_000)),
        rawRequest('POST /mcp', [...pin, 'Connection: close, mcp-session-id'], TOOLS_LIST),
        rawRequest('POST /mcp', [...pin, 'Expect: 100-continue', 'Connection: close'], TOOLS_LIST),
        rawRequest('GET /mcp', ['Upgrade: websocket', 'Connection: Upgrade, close']),
        rawRequest('POST /mcp', ['Mcp-Session-Id: x', 'Transfer-Encoding: chunked'], 'zz\r\n'),
      ];
      for (const bytes of requests) {
        const connection = await rawConnection(gw.url);
        connection.write(bytes);
        connection.finish();
        await connection.closed;
      }
      for (const bytes of requests) {
        const connection = await rawConnection(gw.url);
        connection.write(bytes);
        connection.reset();
      }
      await call(gw, id).expect(200);
    },
  },
  {
    id: 'G2',
    title: 'listeners, and a logger, that throw change no answer',
    async run(env) {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
      onCleanup(() => warn.mockRestore());
      const store = scriptedStore();
      const options = {
        logger: throwing<Logger>(['info', 'warn', 'error']),
        on: throwing<SessionEvents>(['opened', 'ended', 'refused', 'storeFailed']),
        cache: false,
      } as const;
      const { gw, a } = await env.routed(1, { store, options });
      const [id = '', lost = ''] = await openSessions(gw, 2);
      await call(gw, id).expect(200);
      store.fault = 'reject';
      expectRefusal(await call(gw, id), 'store_unavailable', { id: '2' });
      store.fault = undefined;
      await terminate(gw, id).expect(200);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      await a.refuse();
      expectRefusal(await call(gw, lost), 'session_lost');
      expectRefusal(await initialize(gw), 'no_backend');
      expect(String(warn.mock.calls[0]?.[0])).toContain('the listener is out of order');
    },
  },
  {
    id: 'G2',
    title: 'functions of the user that throw fail their own request only',
    async run(env) {
      const set = { skip: fail, handler: fail, lostSession: fail, balance: fail };
      for (const [name, option] of Object.entries(set)) {
        const { gw: healthy, backends, a } = await env.routed(1, { store: new Map() });
        const id = await openSession(healthy);
        const options = { backends: backends.map(({ origin }) => origin), [name]: option };
        const gw = await env.gateway({ options });
        a.answer = ({ res }) => res.writeHead(400, { 'Mcp-Session-Id': id }).end('?');
        for (const send of [initialize(gw), call(gw, id), post(gw, TOOLS_LIST)]) {
          await send
            .then(({ status }) => expect(status).toBeGreaterThanOrEqual(400))
            .catch(isBrokenOff);
        }
        a.answer = undefined;
        await call(healthy, id).expect(200);
      }
    },
  },
  {
    id: 'G2',
    title: 'a handler that fails, at once or later, is told to the error handler of the app',
    async run(env) {
      const failures = {
        thrown: fail,
        rejected: () => Promise.reject(new Error('out of order')),
        nothing: () => Promise.reject(),
      };
      for (const handler of Object.values(failures)) {
        const { gw, a } = await env.routed(1, { options: { handler }, after: answerErrors });
        const id = await openSession(gw);
        await call(gw, 'unknown').expect(500, 'told');
        await request(gw.url).get('/mcp').set('Mcp-Session-Id', 'a b').expect(500, 'told');
        await a.refuse();
        await call(gw, id).expect(500, 'told');
        await initialize(gw).expect(500, 'told');
      }
    },
  },
  {
    id: 'G2',
    title: 'a handler that fails in the middle of its answer breaks it off',
    async run(env) {
      const { gw } = await env.routed(1, {
        options: {
          handler: (_req, res) => {
            res.write('half of it');
            return Promise.reject(new Error('out of order'));
          },
        },
        after: answerErrors,
      });
      await expect(call(gw, 'unknown')).rejects.toMatchObject({ code: 'ECONNRESET' });
    },
  },
  {
    id: 'G2',
    title:
      'lostSession that throws breaks off the answer it was asked about, and keeps the session',
    async run(env) {
      let faulty = true;
      const { gw, a } = await env.routed(1, {
        options: {
          lostSession() {
            if (faulty) throw new Error('out of order');
            return false;
          },
        },
      });
      const id = await openSession(gw);
      a.answer = ({ res }) => res.writeHead(500).end('failed');
      await call(gw, id).then(({ status }) => expect(status).toBe(500), isBrokenOff);
      faulty = false;
      a.answer = undefined;
      await call(gw, id).expect(200);
    },
  },
  {
    id: 'G4',
    title: 'close() ends the open streams and the connections to the backends',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      const stream = await openStream(gw, id);
      await call(gw, id).expect(200);
      expect(gw.sessions.stats().streams).toBe(1);
      await gw.sessions.close();
      expect(await stream.closed).toBe('broken');
      expect(gw.sessions.stats()).toMatchObject({ streams: 0, cached: 0 });
      const closed = performance.now();
      while (a.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
      // A connection that is free is closed after 4 s in any case.
      expect(performance.now() - closed).toBeLessThan(3000);
    },
  },
  {
    id: 'G4',
    title: 'close() may be called twice, and requests that come later are still answered',
    async run(env) {
      const { gw } = await env.routed(1, { store: scriptedStore() });
      const id = await openSession(gw);
      await gw.sessions.close();
      await gw.sessions.close();
      await call(gw, id).expect(200);
    },
  },
  {
    id: 'G5',
    title: 'nothing asks a store for all it holds',
    async run(env) {
      const names = [
        'all',
        'keys',
        'scan',
        'length',
        'clear',
        'entries',
        'values',
        'forEach',
        'ids',
      ];
      const refuse = (): never => {
        throw new Error('a store is never enumerated');
      };
      const store = Object.defineProperties(
        scriptedStore(),
        Object.fromEntries([...names, Symbol.iterator].map((name) => [name, { get: refuse }])),
      );
      const { gw } = await env.routed(1, { store });
      const [id = '', ended = ''] = await openSessions(gw, 2);
      const stream = await openStream(gw, id);
      await call(gw, id).expect(200);
      await gw.sessions.end(ended);
      await gw.sessions.ready();
      expect(gw.sessions.stats()).toMatchObject({ opened: 2, ended: 1, streams: 1 });
      stream.close();
      await terminate(gw, id).expect(200);
      expect(store.calls.map(({ key }) => key)).toEqual(
        expect.arrayContaining([keyOf(id), keyOf(ended)]),
      );
    },
  },
  {
    id: 'G5',
    title: 'open streams are known to the process that has them, and to no store',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store });
      const other = await env.gateway({ store, options: { backends: a.origin } });
      const id = await openSession(gw);
      // Its first request sets the time of its record.
      await call(gw, id).expect(200);
      const writes = (): number => store.verbs().filter((verb) => !verb.startsWith('get')).length;
      const before = writes();
      const streams = [
        await openStream(gw, id),
        await openStream(gw, id),
        await openStream(other, id),
      ];
      expect([gw, other].map(({ sessions }) => sessions.stats().streams)).toEqual([2, 1]);
      expect(writes()).toBe(before);
      for (const stream of streams) stream.close();
      while (gw.sessions.stats().streams + other.sessions.stats().streams > 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(store.recordOf(id)).not.toHaveProperty('ended');
    },
  },
  {
    id: 'G3',
    title: 'of a body that decides nothing no more than maxBodySize is held',
    async run(env) {
      const { gw } = await env.routed(1, { options: { maxBodySize: 1000 } });
      const connection = await rawConnection(gw.url);
      const head = ['Mcp-Session-Id: x', 'Content-Length: 100000000'];
      connection.write(rawRequest('POST /mcp', head, INITIALIZE.padEnd(2000)));
      await connection.until('"reason":"unknown_session"');
      expect(await connection.closed).toBe('end');
    },
  },
];

function isBrokenOff(error: unknown): void {
  expect(error).toMatchObject({ code: expect.stringMatching(/ECONNRESET|HPE_/) });
}
