import http from 'node:http';
import { describe, expect, test } from '@jest/globals';
import express5, { type Express, type Request, type Response } from 'express';
import { sessionPlugin, type RefusalInfo } from '../../../src/index.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import { gateway, type Gateway, type GatewayOptions } from '../../helpers/gateway.ts';
import {
  call,
  initialize,
  openSession,
  openSessions,
  openStream,
  post,
  terminate,
  TOOLS_LIST,
} from '../../helpers/mcp-client.ts';
import { pairings } from '../../helpers/pairings.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { scriptedBackends, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';

describe.each(pairings)('Express %d, http-proxy-middleware %d', (express, hpm) => {
  async function routed(
    count: number,
    options: GatewayOptions = {},
  ): Promise<{ gw: Gateway; a: ScriptedBackend; b: ScriptedBackend }> {
    const backends = await scriptedBackends(count);
    const origins = backends.map(({ origin }) => origin);
    const gw = await gateway({
      express,
      proxy: hpm,
      ...options,
      options: { backends: origins, ...options.options },
    });
    const [a, b = a] = backends;
    if (!a || !b) throw new RangeError('at least one backend');
    return { gw, a, b };
  }

  describe('router: sessionRouter alone, without the plugin', () => {
    const proxyOptions = { plugins: undefined };

    test('A1: sessions are pinned', async () => {
      const { gw, a, b } = await routed(2, { proxyOptions });
      const ids = await openSessions(gw, 2);
      for (const id of [...ids, ...ids]) await call(gw, id).expect(200);
      expect([a.hits.length, b.hits.length]).toEqual([3, 3]);
    });

    test('A2, C1, A3: the guard refuses, and sessions end', async () => {
      const { gw } = await routed(1, { proxyOptions });
      expectRefusal(await call(gw, 'x'), 'unknown_session', { id: '2' });
      const id = await openSession(gw);
      await terminate(gw, id).expect(200);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    });

    test('B1: the record is there before the answer', async () => {
      const store = scriptedStore();
      const { gw } = await routed(1, { store, proxyOptions });
      const id = await openSession(gw);
      expect(store.recordOf(id)).toHaveProperty('backend_url');
    });

    test('a backend that refuses the connection is the answer of the proxy itself, and ends nothing', async () => {
      const { gw, a, b } = await routed(2, { proxyOptions });
      const id = await openSession(gw);
      await a.refuse();
      const answer = await call(gw, id);
      expect([500, 504]).toContain(answer.status);
      await a.reopen();
      await call(gw, id).expect(200);
      expect(b.hits).toEqual([]);
    });
  });

  describe("the user's own on.error", () => {
    test('D1, D2, D4: it answers what the plugin would have answered; sessions end all the same', async () => {
      const errors: unknown[] = [];
      const on = {
        error(error: unknown, _req: Request, res: Response) {
          errors.push(error);
          res.writeHead(599).end('mine');
        },
      };
      const { gw, a, b } = await routed(2, { proxyOptions: { on } });
      const id = await openSession(gw);
      a.answer = ({ req }) => req.socket.resetAndDestroy();
      await call(gw, id).expect(599);
      a.answer = undefined;
      await call(gw, id).expect(200);
      await a.refuse();
      await call(gw, id).expect(599);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      await b.refuse();
      await initialize(gw).expect(599);
      expect(errors).toHaveLength(3);
    });
  });

  describe("a handler of the app's own that calls next()", () => {
    test('A9, D8: what was refused reaches no backend, nor the target of the proxy', async () => {
      const [target] = (await scriptedBackends(1)) as [ScriptedBackend];
      const store = scriptedStore();
      const asked: string[] = [];
      const handler = (
        _req: Request,
        _res: Response,
        next: () => void,
        { reason }: RefusalInfo,
      ) => {
        asked.push(reason);
        next();
      };
      const proxyOptions = { target: target.origin, router: () => target.origin };
      const { gw, a } = await routed(1, {
        store,
        options: { handler, cache: false },
        proxyOptions,
      });
      store.fault = 'reject';
      expectRefusal(await call(gw, 'x'), 'store_unavailable');
      expectRefusal(await terminate(gw, 'x'), 'store_unavailable');
      expect(asked).toEqual(['store_unavailable', 'store_unavailable']);
      expect([a.hits.length, target.hits.length]).toEqual([0, 0]);
    });

    test('F2: a handler of the app behind it reads the body that was looked at', async () => {
      const handler = (_req: Request, _res: Response, next: () => void): void => next();
      const between = (app: Express): unknown =>
        app.post('/mcp', express5.text({ type: () => true }), (req, res) => res.send(req.body));
      const { gw } = await routed(1, { options: { handler }, between });
      expect((await call(gw, 'x', 'read me')).text).toContain('read me');
    });
  });

  describe('ejectPlugins', () => {
    test('G2: failures are answered in JSON-RPC, the process goes on', async () => {
      const { gw, a } = await routed(1, { proxyOptions: { ejectPlugins: true } });
      const id = await openSession(gw);
      a.answer = ({ req }) => req.socket.resetAndDestroy();
      expectRefusal(await call(gw, id), 'upstream_failed');
      await a.refuse();
      expectRefusal(await call(gw, id), 'session_lost');
    });

    test('G2: so they are beside an on.error that the proxy has ejected with its plugins', async () => {
      const on = { error: (): void => {} };
      const { gw, a } = await routed(1, { proxyOptions: { ejectPlugins: true, on } });
      const id = await openSession(gw);
      await a.refuse();
      expectRefusal(await call(gw, id), 'session_lost');
    });
  });

  describe("the user's own agent", () => {
    test('D2, D4, D1: failures to connect are told from those after a byte was sent', async () => {
      const agent = new http.Agent({ keepAlive: true });
      onCleanup(() => agent.destroy());
      const { gw, a, b } = await routed(2, { proxyOptions: { agent } });
      const id = await openSession(gw);
      await call(gw, id).expect(200);
      a.answer = ({ req }) => req.socket.resetAndDestroy();
      expectRefusal(await call(gw, id), 'upstream_failed');
      a.answer = undefined;
      await call(gw, id).expect(200);
      await a.refuse();
      expectRefusal(await call(gw, id), 'session_lost');
      await b.refuse();
      expectRefusal(await initialize(gw), 'no_backend');
    });
  });

  describe('a proxy without sessions beside the gateway', () => {
    test('A7: the plugin leaves requests alone that the middleware has not seen', async () => {
      const [target] = await scriptedBackends(1);
      const proxyOptions = { target: target?.origin };
      const gw = await gateway({ express, proxy: hpm, bare: true, proxyOptions });
      const id = await openSession(gw);
      await call(gw, id).expect(200);
      await target?.refuse();
      expect([500, 504]).toContain((await call(gw, id)).status);
    });
  });

  describe('the option handler', () => {
    test('A2, D2: it answers in place of the package, with all it needs to know', async () => {
      const refusals: RefusalInfo[] = [];
      const { gw, a } = await routed(1, {
        options: {
          handler(_req, res, _next, refusal) {
            refusals.push(refusal);
            res.status(499).json({ mine: refusal.reason });
          },
        },
      });
      await call(gw, 'x').expect(499, '{"mine":"unknown_session"}');
      const id = await openSession(gw);
      await a.refuse();
      await call(gw, id).expect(499, '{"mine":"session_lost"}');
      expect(refusals).toEqual([
        { reason: 'unknown_session', status: 400, code: -32001, message: 'Session not found' },
        { reason: 'session_lost', status: 404, code: -32001, message: 'Session not found' },
      ]);
    });

    test('it may hand the request on', async () => {
      const { gw, a } = await routed(1, {
        options: { handler: (_req, _res, next) => next() },
        between: (app) => app.use((_req, res) => void res.status(418).end('next')),
      });
      await call(gw, 'x').expect(418, 'next');
      expect(a.hits).toEqual([]);
    });
  });

  describe('the option balance', () => {
    test('G2: a function that returns no candidate fails the request, not the process', async () => {
      const { gw, a } = await routed(1, { options: { balance: () => 'http://elsewhere.example' } });
      expect((await initialize(gw)).status).toBeGreaterThanOrEqual(500);
      expect(a.hits).toEqual([]);
    });
  });

  describe('two middlewares', () => {
    test('the first one decides', async () => {
      const { gw, a } = await routed(1, {
        between: (app, sessions) => app.use(sessions),
      });
      const id = await openSession(gw);
      await call(gw, id).expect(200);
      expect([a.hits.length, gw.sessions.stats().opened]).toEqual([2, 1]);
    });
  });

  describe('express.json() in front', () => {
    test('A2, A5: the id is repeated and initialize is known from the parsed body', async () => {
      const { default: expressJson } = await import('express');
      const { gw, a } = await routed(1, { before: (app) => app.use(expressJson.json()) });
      expectRefusal(await post(gw, TOOLS_LIST, { 'Mcp-Session-Id': 'x' }), 'unknown_session', {
        id: '7',
      });
      await initialize(gw, { 'Mcp-Session-Id': 'x' }).expect(200);
      expect(a.sessions.size).toBe(1);
    });

    test('A2: a large id, whose digits are lost, is left out', async () => {
      const { default: expressJson } = await import('express');
      const { gw } = await routed(1, { before: (app) => app.use(expressJson.json()) });
      const body = '{"id":12345678901234567890,"method":"tools/list"}';
      expectRefusal(await post(gw, body, { 'Mcp-Session-Id': 'x' }), 'unknown_session');
    });
  });

  test('the plugin twice is the plugin once', async () => {
    const { gw, a, b } = await routed(2, {
      proxyOptions: { plugins: [sessionPlugin, sessionPlugin] },
    });
    const [first = ''] = await openSessions(gw, 2);
    await call(gw, first).expect(200);
    (await openStream(gw, first)).close();
    expect([a.hits.length, b.hits.length]).toEqual([3, 1]);
  });
});
