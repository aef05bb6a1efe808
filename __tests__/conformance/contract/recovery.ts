import { expect } from '@jest/globals';
import request from 'supertest';
import { MemoryStore, type McpSessionRoutingOptions } from '../../../src/index.ts';
import { deferred } from '../../helpers/deferred.ts';
import {
  call,
  INITIALIZE,
  initialize,
  ofSession,
  openSession,
  openStream,
  post,
  terminate,
  TOOLS_LIST,
  type Addressed,
} from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import {
  scriptedBackends,
  type Hit,
  type ScriptedBackend,
} from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import { until } from '../../helpers/until.ts';
import type { Env, Routed, Rule } from './rule.ts';

const RECOVER: McpSessionRoutingOptions = { recover: true };

/** A gateway that recovers, and a session on the first of its backends. */
async function lostWith(
  env: Env,
  count: number,
  options: McpSessionRoutingOptions = RECOVER,
): Promise<Routed & { readonly id: string; readonly own: Hit[] }> {
  const routed = await env.routed(count, { options: { ...options } });
  const id = await openSession(routed.gw);
  return { ...routed, id, own: routed.b.hits };
}

/** What a backend was asked, in short. */
function askedOf({ hits }: ScriptedBackend): string[] {
  return hits.map(({ method, body }) => {
    const message = /"method": ?"([^"]+)"/.exec(body.toString())?.[1];
    return message ?? method;
  });
}

const RECOVERED = ['initialize', 'notifications/initialized', 'tools/call'];

/** The backend was started again: it knows its sessions no more. */
function forgetSessions(backend: ScriptedBackend): void {
  backend.sessions.clear();
}

/** How the first backend loses the session. */
const LOSSES: readonly (readonly [string, (a: ScriptedBackend, id: string) => unknown])[] = [
  ['refuses connections', (a) => a.refuse()],
  ['has forgotten it: 404', forgetSessions],
  [
    'has forgotten it: 400',
    (a, id) => {
      const text = 'Bad Request: No valid session ID provided';
      a.answer = ({ headers, res }) =>
        headers['mcp-session-id'] === id && res.writeHead(400).end(text);
    },
  ],
];

function lossRule([kind, lose]: (typeof LOSSES)[number]): Rule {
  return {
    id: 'D2',
    title: `recover: a session whose backend ${kind} goes on under the id its client knows`,
    async run(env) {
      const { gw, a, b, id } = await lostWith(env, 2);
      await lose(a, id);
      for (const text of ['still here', 'and on']) {
        const answer = await call(gw, id, text).expect(200, new RegExp(`: ${text}`));
        expect(answer.get('Mcp-Session-Id')).toBeUndefined();
      }
      expect(gw.sessions.stats()).toMatchObject({ recovered: 1, ended: 0 });
      expect([...askedOf(a), ...askedOf(b)].filter((what) => what === 'initialize')).toHaveLength(
        2,
      );
      expect([a, b].map(({ sessions }) => sessions.has(id))).toEqual([
        kind !== 'has forgotten it: 404',
        false,
      ]);
    },
  };
}

export const recovery: readonly Rule[] = [
  ...LOSSES.map(lossRule),
  {
    id: 'D2',
    title: 'recover: the new backend is told what the client said, and who asks, and no more',
    async run(env) {
      const { gw, a, b, id } = await lostWith(env, 2);
      await a.refuse();
      const headers = { ...ofSession(id), Authorization: 'Bearer of-now', 'Last-Event-ID': '7' };
      await post(gw, TOOLS_LIST, headers).expect(200);
      expect(askedOf(b)).toEqual(['initialize', 'notifications/initialized', 'tools/list']);
      const [opened, told, sent] = b.hits;
      const [session] = b.sessions;
      expect(opened?.body.toString()).toBe(INITIALIZE);
      expect(opened?.headers).toMatchObject({ authorization: 'Bearer of-now' });
      for (const name of ['mcp-session-id', 'last-event-id', 'mcp-protocol-version']) {
        expect(opened?.headers).not.toHaveProperty(name);
      }
      expect(told?.headers).toMatchObject({ 'mcp-session-id': session });
      expect(sent?.headers).toMatchObject({ 'mcp-session-id': session });
      expect(sent?.body.toString()).toBe(TOOLS_LIST);
    },
  },
  {
    id: 'D2',
    title: 'recover: the new backend is called by its own name where the app changes the Host',
    async run(env) {
      const proxyOptions = { changeOrigin: true };
      const { gw, a, b } = await env.routed(2, { options: RECOVER, proxyOptions });
      const id = await openSession(gw);
      await call(gw, id).expect(200);
      await a.refuse();
      await call(gw, id).expect(200);
      const host = new URL(b.origin).host;
      expect(b.hits.map(({ headers }) => headers.host)).toEqual([host, host, host]);
    },
  },
  {
    id: 'D2',
    title: 'recover: 20 requests at once open one new session, over two gateways too',
    async run(env) {
      const store = new MemoryStore();
      const { gw, a, b, backends } = await env.routed(3, { store, options: RECOVER });
      const origins = backends.map(({ origin }) => origin);
      const other = await env.gateway({ store, options: { ...RECOVER, backends: origins } });
      const id = await openSession(gw);
      await a.refuse();
      const gateways: Addressed[] = [gw, other];
      const calls = Array.from({ length: 20 }, (_, at) =>
        call(gateways[at % 2] ?? gw, id, `call ${at}`).then(({ status, text }) => [status, text]),
      );
      const answers = await Promise.all(calls);
      expect(answers.map(([status]) => status)).toEqual(Array.from({ length: 20 }, () => 200));
      const opened = backends.slice(1).flatMap(askedOf);
      expect(opened.filter((what) => what === 'initialize')).toHaveLength(1);
      expect(opened.filter((what) => what === 'tools/call')).toHaveLength(20);
      expect(b.sessions.size + (backends[2]?.sessions.size ?? 0)).toBe(1);
    },
  },
  {
    id: 'D2',
    title: 'recover: streams, and DELETE, of a recovered session reach it under its new name',
    async run(env) {
      const { gw, a, b, id } = await lostWith(env, 2);
      await a.refuse();
      const stream = await openStream(gw, id);
      expect(stream.status).toBe(200);
      expect(askedOf(b)).toEqual(['initialize', 'notifications/initialized', 'GET']);
      await terminate(gw, id).expect(200);
      expect(b.sessions.size).toBe(0);
      expect(await stream.closed).toBe('broken');
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'B6',
    title: 'recover: the id by which the backend knows the session never reaches the client',
    async run(env) {
      const { gw, a, b, id } = await lostWith(env, 2);
      b.answer = ({ headers, res }) => {
        const session = headers['mcp-session-id'];
        if (session !== undefined) res.setHeader('Mcp-Session-Id', session);
        return false;
      };
      await a.refuse();
      for (let count = 0; count < 2; count += 1) {
        const answer = await call(gw, id).expect(200);
        expect(answer.get('Mcp-Session-Id')).toBe(id);
      }
    },
  },
  {
    id: 'C3',
    title: 'recover: a DELETE recovers nothing, and what it deletes stays deleted',
    async run(env) {
      const { gw, a, b, id } = await lostWith(env, 2);
      const { promise: goOn, resolve } = deferred();
      b.answer = async ({ body }) => {
        if (body.includes('"initialize"')) await goOn;
        return false;
      };
      await a.refuse();
      const recovering = call(gw, id).then(({ status }) => status);
      await b.hit(0);
      await terminate(gw, id).expect(204);
      resolve();
      expect(await recovering).toBe(404);
      await until(() => b.sessions.size === 0);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expect(askedOf(b)).not.toContain('tools/call');
    },
  },
  {
    id: 'D2',
    title: 'recover: a session that no backend takes is kept for lostAfter, and then over',
    async run(env) {
      const { gw, backends, id } = await lostWith(env, 2, { ...RECOVER, lostAfter: 300 });
      for (const backend of backends) await backend.refuse();
      expectRefusal(await call(gw, id), 'backend_unreachable');
      await backends[1]?.reopen();
      await call(gw, id).expect(200);
      for (const backend of backends) await backend.refuse();
      await until(async () => (await call(gw, id)).status === 404);
    },
  },
  {
    id: 'D2',
    title: 'recover: a backend that does not open one ends the session',
    async run(env) {
      const { gw, a, b, id } = await lostWith(env, 2);
      b.answer = ({ res }) => res.writeHead(401).end();
      await a.refuse();
      expectRefusal(await call(gw, id), 'session_lost');
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'D2',
    title: 'recover: what was opened too much, or half, is deleted at its backend',
    async run(env) {
      const { gw, a, b, id } = await lostWith(env, 2);
      b.answer = ({ body, res }) => body.includes('initialized') && res.writeHead(500).end();
      await a.refuse();
      expectRefusal(await call(gw, id), 'session_lost');
      await until(() => b.sessions.size === 0);
      expect(askedOf(b)).toEqual(['initialize', 'notifications/initialized', 'DELETE']);
    },
  },
  {
    id: 'D4',
    title: 'recover: a request that was broken off is not sent again',
    async run(env) {
      const { gw, a, b, id } = await lostWith(env, 2);
      a.answer = ({ req }) => req.socket.resetAndDestroy();
      expectRefusal(await call(gw, id), 'upstream_failed');
      expect([a.hits.length, b.hits]).toEqual([2, []]);
    },
  },
  {
    id: 'D8',
    title: 'recover: a session of a backend that was removed goes on elsewhere',
    async run(env) {
      const [a, b] = await scriptedBackends(2);
      const listed = [a?.origin ?? '', b?.origin ?? ''];
      const backends = { list: () => [...listed], refresh: 60_000 };
      const gw = await env.gateway({ options: { ...RECOVER, backends } });
      const id = await openSession(gw);
      const before = a?.hits.length;
      listed.shift();
      await a?.refuse();
      await call(gw, id).expect(200);
      expect([a?.hits.length, b && askedOf(b)]).toEqual([before, RECOVERED]);
    },
  },
  {
    id: 'D2',
    title: 'recover: only sessions that the function names are recovered',
    async run(env) {
      const asked: unknown[] = [];
      const recover: McpSessionRoutingOptions['recover'] = (session, req) => {
        asked.push([Object.keys(session), session.backend]);
        return req.headers['x-tenant'] === 'blue';
      };
      const { gw, a, b, id } = await lostWith(env, 2, { recover });
      const other = await openSession(gw);
      const third = await openSession(gw);
      expect([id[0], other[0], third[0]]).toEqual(['a', 'b', 'a']);
      await a.refuse();
      await post(gw, TOOLS_LIST, { ...ofSession(id), 'X-Tenant': 'blue' }).expect(200);
      expectRefusal(await call(gw, third), 'session_lost');
      expect(asked).toEqual([
        [['session', 'backend'], a.origin],
        [['session', 'backend'], a.origin],
      ]);
      expect(b.sessions.size).toBe(2);
    },
  },
  {
    id: 'G1',
    title: 'recover: a store holds neither the ids of a session nor what its client has said',
    async run(env) {
      const store = scriptedStore();
      const { gw, a, b } = await env.routed(2, { store, options: RECOVER });
      const id = await openSession(gw);
      await a.refuse();
      await call(gw, id).expect(200);
      const [inside = ''] = b.sessions;
      const dump = JSON.stringify([...store.kept]);
      for (const secret of [id, inside, 'clientInfo', 'initialize"']) {
        expect(dump).not.toContain(secret);
      }
      expect(dump).toContain('backend_session');
    },
  },
  {
    id: 'A14',
    title: 'recover: at the root of an app, requests that no proxy takes are still not read',
    async run(env) {
      const seen: unknown[] = [];
      const gw = await env.gateway({
        options: RECOVER,
        between: (app) =>
          app.post('/other', (req, res) => {
            seen.push(req.readableFlowing, req.readableLength);
            req.resume();
            res.end('local');
          }),
      });
      await request(gw.url).post('/other').send('{"half":').expect(200, 'local');
      expect(seen[0]).toBeNull();
    },
  },
  {
    id: 'F1',
    title: 'recover: bodies that are long, or slow, pass as they are',
    async run(env) {
      const { gw, a, b, id } = await lostWith(env, 2, { ...RECOVER, maxBodySize: 1000 });
      const long = `{"jsonrpc":"2.0","id":1,"method":"x","params":"${'x'.repeat(5000)}"}`;
      await post(gw, long, ofSession(id)).expect(200);
      expect(a.hits.at(-1)?.body.toString()).toBe(long);
      forgetSessions(a);
      expectRefusal(await post(gw, long, ofSession(id)), 'backend_unreachable');
      await post(gw, long, ofSession(id)).expect(200);
      expect([...a.sessions, ...b.sessions]).toHaveLength(1);
    },
  },
  {
    id: 'A5',
    title: 'recover: initialize on a lost session opens a new one of its own',
    async run(env) {
      const { gw, a, b, id } = await lostWith(env, 2);
      await a.refuse();
      const opened = await initialize(gw, { 'Mcp-Session-Id': id }).expect(200);
      expect(opened.get('Mcp-Session-Id')).not.toBe(id);
      expect(askedOf(b)).toEqual(['initialize']);
    },
  },
];
