import { expect } from '@jest/globals';
import express, { type Express } from 'express';
import { INITIALIZE, openSession, post, TOOLS_LIST } from '../../helpers/mcp-client.ts';
import { rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import type { Rule } from './rule.ts';

/** The other routes of an app that a gateway was added to. */
function addRoutes(app: Express): void {
  app.get('/json', (_req, res) => void res.json({ price: 1.5, name: 'caf\u00e9' }));
  app.get('/text', (_req, res) => void res.type('text').send('plain'));
  app.get('/empty', (_req, res) => void res.status(204).end());
  app.get('/old', (_req, res) => res.redirect(301, '/json'));
  app.get(
    '/teapot',
    (_req, res) => void res.status(418).set('X-Pot', 'yes').json({ error: 'short' }),
  );
  app.get('/head-array', (_req, res) => {
    res.writeHead(201, 'Fine', ['X-Array', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
    res.end('array');
  });
  app.get('/chunks', (_req, res) => {
    res.write('one,');
    setImmediate(() => {
      res.write('two,');
      res.end('three');
    });
  });
  app.get('/events', (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    setImmediate(() => res.end('data: 1\n\n'));
  });
  app.get('/id', (_req, res) => void res.set('Mcp-Session-Id', 'of-another-kind').end());
  app.get('/throws', () => {
    throw Object.assign(new Error('the app failed'), { status: 507, stack: 'the app failed' });
  });
  app.post('/echo', (req, res) => {
    res.setHeader('X-Method', req.method);
    req.pipe(res);
  });
  app.post('/parsed', express.json(), (req, res) => void res.json({ body: req.body as unknown }));
  app.post('/created', (_req, res) => {
    res.writeHead(201, { Location: '/created/1', 'Content-Length': 2 });
    res.write('o');
    res.end('k');
  });
}

const REQUESTS = [
  rawRequest('GET /json', ['Connection: close']),
  rawRequest('HEAD /json', ['Connection: close']),
  rawRequest('OPTIONS /json', ['Connection: close']),
  rawRequest('GET /text?q=1', ['Connection: close']),
  rawRequest('GET /empty', ['Connection: close']),
  rawRequest('GET /old', ['Connection: close']),
  rawRequest('GET /teapot', ['Connection: close']),
  rawRequest('GET /head-array', ['Connection: close']),
  rawRequest('GET /chunks', ['Connection: close']),
  rawRequest('GET /events', ['Connection: close']),
  rawRequest('GET /id', ['Connection: close']),
  rawRequest('GET /throws', ['Connection: close']),
  rawRequest('GET /nowhere', ['Connection: close']),
  rawRequest('DELETE /nowhere', ['Connection: close']),
  rawRequest('POST /echo', ['Connection: close'], 'sent as it is \u00e9'),
  rawRequest('POST /echo', ['Connection: close'], INITIALIZE),
  rawRequest('POST /parsed', ['Connection: close', 'Content-Type: application/json'], INITIALIZE),
  rawRequest('POST /parsed', ['Connection: close', 'Content-Type: application/json'], '{'),
  rawRequest('POST /created', ['Connection: close']),
  // On one connection, one after the other.
  Buffer.concat([
    rawRequest('GET /json'),
    rawRequest('POST /echo', [], 'second'),
    rawRequest('GET /nowhere', ['Connection: close']),
  ]),
  // HTTP/1.0, which knows no chunks.
  Buffer.from('GET /chunks HTTP/1.0\r\n\r\n'),
];

export const root: readonly Rule[] = [
  {
    id: 'A14',
    title:
      'app.use(mcpSessionRouting(store)) at the root leaves every other route byte for byte as it was',
    async run(env) {
      const store = scriptedStore();
      const shared = {
        store,
        between: addRoutes,
        proxyOptions: { target: 'http://127.0.0.1:9' },
        mount: (app: Express, proxy: express.RequestHandler) => void app.all('/mcp', proxy),
      };
      const gw = await env.gateway(shared);
      const without = await env.gateway({ ...shared, bare: true });
      for (const bytes of REQUESTS) {
        const [received, expected] = await Promise.all([
          rawHttp(gw.url, bytes),
          rawHttp(without.url, bytes),
        ]);
        expect(expected).toMatch(/^HTTP\/1\.1 \d{3} /);
        expect(withoutDate(received)).toBe(withoutDate(expected));
      }
      expect(store.calls).toEqual([]);
    },
  },
  {
    id: 'A14',
    title: 'with that one line, an existing gateway with a target pins its sessions',
    only: 'http-proxy-middleware',
    async run(env) {
      const store = scriptedStore();
      const { a, b } = await env.routed(2);
      const targets = [a.origin, b.origin];
      const gw = await env.gateway({
        store,
        between: addRoutes,
        proxyOptions: { pathFilter: '/mcp', target: a.origin, router: () => targets.shift() },
      });
      const ids = [await openSession(gw), await openSession(gw)];
      for (const id of ids) await post(gw, TOOLS_LIST, { 'Mcp-Session-Id': id }).expect(200);
      expect([a.hits.length, b.hits.length]).toEqual([2, 2]);
      expect(ids.map((id) => store.recordOf(id)?.['backend_url'])).toEqual([a.origin, b.origin]);
    },
  },
  {
    id: 'A14',
    title: 'for a request that no proxy takes no body is read and no backend is chosen',
    async run(env) {
      const looks: unknown[] = [];
      let chosen = 0;
      const { gw } = await env.routed(1, {
        options: { balance: (candidates) => ((chosen += 1), candidates[0] ?? '') },
        between(app, sessions) {
          app.post('/other', (req, res) => {
            looks.push(req.readableDidRead, req.readableFlowing, req.listenerCount('readable'));
            looks.push(sessions.routeOf(req));
            res.end('done');
          });
        },
      });
      await post(gw, INITIALIZE, {}, '/other').expect(200, 'done');
      expect(looks).toEqual([
        false,
        null,
        0,
        { kind: 'open', backendUrl: undefined, session: undefined },
      ]);
      expect([chosen, gw.sessions.stats().refused]).toEqual([0, {}]);
    },
  },
  {
    id: 'A14',
    title: 'only a request that carries a session header can be refused on another route',
    async run(env) {
      const { gw } = await env.routed(1, { between: addRoutes });
      const answer = await post(gw, TOOLS_LIST, { 'Mcp-Session-Id': 'x' }, '/echo');
      expectRefusal(answer, 'unknown_session', { id: '7' });
      await post(gw, TOOLS_LIST, {}, '/echo').expect(200, TOOLS_LIST);
    },
  },
];

function withoutDate(received: string): string {
  return received.replaceAll(/^Date: .*\r\n/gm, '');
}
