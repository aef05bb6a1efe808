import { expect } from '@jest/globals';
import request from 'supertest';
import type { BackendEntry } from '../../../src/index.ts';
import { deferred } from '../../helpers/deferred.ts';
import {
  call,
  initialize,
  ofSession,
  openSession,
  openSessions,
  openStream,
  post,
  terminate,
  TOOLS_LIST,
} from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import {
  scriptedBackend,
  scriptedBackends,
  type ScriptedBackend,
} from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import { until } from '../../helpers/until.ts';
import type { Env, Routed, Rule } from './rule.ts';

/** A gateway whose backends are discovered. */
interface Fleet extends Routed {
  /** What the discovery finds; a failure if it is `undefined`. */
  listed: readonly (string | BackendEntry)[] | undefined;
  /** The gateway has asked again. */
  noticed(): Promise<void>;
}

async function fleet(
  env: Env,
  count: number,
  entry: (backend: ScriptedBackend) => string | BackendEntry = ({ origin }) => origin,
  options: object = {},
): Promise<Fleet> {
  const backends = await scriptedBackends(count);
  const [a, b = a] = backends;
  if (!a || !b) throw new RangeError('at least one backend');
  let asked = 0;
  const state = { listed: backends.map(entry) as Fleet['listed'] };
  const list = (): readonly (string | BackendEntry)[] => {
    asked += 1;
    if (state.listed) return state.listed;
    throw new Error('the discovery is down');
  };
  const gw = await env.gateway({ options: { backends: { list, refresh: 20 }, ...options } });
  const noticed = async (): Promise<void> => {
    const before = asked;
    await until(() => asked > before);
  };
  return Object.assign(state, { gw, backends, a, b, noticed });
}

const named = ({ origin, name }: ScriptedBackend): BackendEntry => ({ url: origin, id: name });

export const fleetRules: readonly Rule[] = [
  {
    id: 'D8',
    title: 'a session of a backend that the discovery has removed is over, its streams are closed',
    async run(env) {
      const it = await fleet(env, 2);
      const [onA = '', onB = ''] = await openSessions(it.gw, 2);
      const stream = await openStream(it.gw, onA);
      it.listed = [it.b.origin];
      expect(await stream.closed).toBe('broken');
      expectRefusal(await call(it.gw, onA), 'session_ended', { id: '2' });
      await call(it.gw, onB).expect(200);
      expect([it.a.hits.length, it.b.hits.length]).toEqual([2, 2]);
    },
  },
  {
    id: 'D8',
    title: 'connections to a backend that was removed are closed: free ones, and others when done',
    async run(env) {
      const it = await fleet(env, 2);
      const id = await openSession(it.gw);
      await call(it.gw, id).expect(200);
      const { promise: goOn, resolve } = deferred();
      it.a.answer = async () => {
        await goOn;
        return false;
      };
      const before = it.a.hits.length;
      const inFlight = call(it.gw, id).expect(200);
      const answered = inFlight.then(({ status }) => status);
      await it.a.hit(before);
      it.listed = [it.b.origin];
      await it.noticed();
      resolve();
      expect(await answered).toBe(200);
      const since = performance.now();
      await until(() => it.a.sockets.size === 0);
      // A connection that is merely unused is kept for 4 s.
      expect(performance.now() - since).toBeLessThan(3000);
    },
  },
  {
    id: 'D8',
    title: 'an address that another instance has taken over gets no byte of the old session',
    async run(env) {
      const it = await fleet(env, 2, named);
      const id = await openSession(it.gw);
      await call(it.gw, id).expect(200);
      const { length } = it.a.hits;
      it.a.reset();
      it.listed = [{ url: it.a.origin, id: 'another' }, named(it.b)];
      await it.noticed();
      const connections = it.a.sockets.size;
      const answers = [
        await call(it.gw, id),
        await request(it.gw.url).get('/mcp').set(ofSession(id)),
      ];
      for (const { text } of answers) expect(text).toContain('"reason":"session_ended"');
      await terminate(it.gw, id).expect(404);
      expect([it.a.hits.length, it.a.sockets.size, it.b.hits]).toEqual([length, connections, []]);
    },
  },
  {
    id: 'D8',
    title: 'so it is while the app takes its time with a request that has come before',
    async run(env) {
      const { origin, hits } = await scriptedBackend();
      let listed = { url: origin, id: 'one' };
      const takenOver = deferred();
      const gw = await env.gateway({
        options: { backends: { list: () => [listed], refresh: 20 } },
        between: (app) =>
          app.use('/slow', (_req, _res, next) => void takenOver.promise.then(() => next())),
      });
      const id = await openSession(gw);
      const slow = post(gw, TOOLS_LIST, ofSession(id), '/slow').then((answer) => answer);
      listed = { url: origin, id: 'two' };
      await until(() => gw.sessions.backends.list()[0]?.id === 'two');
      takenOver.resolve();
      expectRefusal(await slow, 'session_ended', { id: '7' });
      expect(hits).toHaveLength(1);
    },
  },
  {
    id: 'D8',
    title:
      'a record names the instance of its backend, and the session goes on where it is the same',
    async run(env) {
      const store = scriptedStore();
      const backends = await scriptedBackends(1);
      const of = (entry: (backend: ScriptedBackend) => string | BackendEntry) =>
        env.gateway({ store, options: { backends: backends.map(entry), cache: false } });
      const id = await openSession(await of(named));
      expect(store.recordOf(id)).toMatchObject({ backend_id: 'a' });
      for (const entry of [named, ({ origin }: ScriptedBackend) => origin]) {
        await call(await of(entry), id).expect(200);
      }
    },
  },
  {
    id: 'D8',
    title: 'a session of a backend that this gateway has not heard of yet is not given up',
    async run(env) {
      const store = scriptedStore();
      const [a, b] = await scriptedBackends(2);
      const listed = [a?.origin ?? ''];
      const discovery = { list: () => [...listed], refresh: 60_000 };
      const gw = await env.gateway({ store, options: { backends: discovery, cache: false } });
      const first = await env.gateway({ store, options: { backends: b?.origin ?? '' } });
      const id = await openSession(first);
      listed.push(b?.origin ?? '');
      await call(gw, id).expect(200);
      expect([a?.hits, b?.hits.length]).toEqual([[], 2]);
    },
  },
  {
    id: 'D8',
    title: 'while the discovery fails nothing is given up: what is known is used, the rest is 503',
    async run(env) {
      const store = scriptedStore();
      const it = await fleet(env, 2, undefined, { cache: false });
      const elsewhere = await env.routed(1, { store });
      const gw = await env.gateway({
        store,
        options: { backends: { list: () => it.listed as string[], refresh: 20 }, cache: false },
      });
      const unheard = await openSession(elsewhere.gw);
      const known = await openSession(gw);
      it.listed = undefined;
      expectRefusal(await call(gw, unheard), 'backend_unreachable', { id: '2' });
      await call(gw, known).expect(200);
      expect(store.recordOf(unheard)).not.toHaveProperty('ended');
      await terminate(gw, unheard).expect(204);
    },
  },
  {
    id: 'D3',
    title: 'before the first list is there, nothing is refused for good',
    async run(env) {
      const store = scriptedStore();
      const { gw: first, a } = await env.routed(1, { store });
      const id = await openSession(first);
      const { promise, resolve } = deferred<string[]>();
      const gw = await env.gateway({ store, options: { backends: () => promise } });
      expectRefusal(await initialize(gw), 'no_backend');
      const answer = call(gw, id).expect(200);
      resolve([a.origin]);
      await answer;
      await gw.sessions.ready();
      await initialize(gw).expect(200);
    },
  },
  {
    id: 'D4',
    title:
      'a request that was broken off is 404 once its backend has failed its probes for lostAfter',
    async run(env) {
      const { gw, a } = await env.routed(1, { options: { health: '/healthz', lostAfter: 1 } });
      const id = await openSession(gw);
      a.answer = ({ url, req, res }) => {
        if (url === '/healthz') res.writeHead(500).end();
        else req.socket.resetAndDestroy();
      };
      expectRefusal(await call(gw, id), 'upstream_failed');
      await until(() => gw.sessions.backends.list()[0]?.state === 'down');
      await until(async () => (await call(gw, id)).status === 404);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'D1',
    title: 'a backend that dies under an open stream is found out, and gets no new sessions',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const id = await openSession(gw);
      const stream = await openStream(gw, id);
      await a.refuse();
      expect(await stream.closed).toBe('broken');
      await until(() => gw.sessions.backends.list()[0]?.state === 'down');
      await openSessions(gw, 4);
      expect([a.sessions.size, b.sessions.size]).toEqual([1, 4]);
    },
  },
  {
    id: 'D1',
    title: 'a backend that is down is up again when its health path says so, and not before',
    async run(env) {
      const told: string[] = [];
      const on = {
        backendDown: () => void told.push('down'),
        backendUp: () => void told.push('up'),
      };
      const { gw, a } = await env.routed(2, { options: { health: '/healthz', on } });
      let well = false;
      a.answer = ({ url, res }) => url === '/healthz' && res.writeHead(well ? 204 : 503).end();
      await a.refuse();
      await openSession(gw);
      await a.reopen();
      await a.hitWhere(({ url }) => url === '/healthz');
      expect(told).toEqual(['down']);
      await openSessions(gw, 2);
      expect(a.sessions.size).toBe(0);
      well = true;
      await until(() => told.includes('up'));
      await openSessions(gw, 2);
      expect(a.sessions.size).toBe(1);
    },
  },
  {
    id: 'D6',
    title: 'an answer of 5xx or 429 is passed on as it is',
    async run(env) {
      const { gw, a } = await env.routed(2);
      const id = await openSession(gw);
      for (const status of [429, 500, 502, 503, 504]) {
        const headers = { 'Retry-After': '7', 'Content-Type': 'text/plain' };
        a.answer = ({ res }) => res.writeHead(status, headers).end('busy');
        const answer = await call(gw, id).expect(status, 'busy');
        expect(answer.headers['retry-after']).toBe('7');
      }
      a.answer = undefined;
      await call(gw, id).expect(200);
      expect(gw.sessions.backends.list()[0]?.state).toBe('up');
    },
  },
  {
    id: 'D7',
    title: 'a backend that hangs is waited for, and delays the sessions of no other one',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const [onA = '', onB = ''] = await openSessions(gw, 2);
      const { promise: goOn, resolve } = deferred();
      a.answer = async () => {
        await goOn;
        return false;
      };
      const hanging = Array.from({ length: 300 }, () => call(gw, onA).then(({ status }) => status));
      await until(() => a.hits.length === 301);
      for (let count = 0; count < 5; count += 1) await call(gw, onB).expect(200);
      resolve();
      expect(new Set(await Promise.all(hanging))).toEqual(new Set([200]));
      expect(b.hits).toHaveLength(6);
    },
  },
  {
    id: 'D10',
    title: 'a backend that is draining gets no new sessions, and those it has live on',
    async run(env) {
      const it = await fleet(env, 2);
      const id = await openSession(it.gw);
      it.listed = [{ url: it.a.origin, draining: true }, it.b.origin];
      await it.noticed();
      await until(() => it.gw.sessions.backends.list()[0]?.state === 'draining');
      await openSessions(it.gw, 4);
      expect([it.a.sessions.size, it.b.sessions.size]).toEqual([1, 4]);
      await call(it.gw, id).expect(200);
      it.listed = [it.a.origin, it.b.origin];
      await until(() => it.gw.sessions.backends.list()[0]?.state === 'up');
      await openSessions(it.gw, 2);
      expect(it.a.sessions.size).toBe(2);
    },
  },
  {
    id: 'D10',
    title: 'a backend that an operator drains is told to be free when nothing is open to it',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const { backends } = gw.sessions;
      const id = await openSession(gw);
      const stream = await openStream(gw, id);
      backends.drain(a.origin);
      await openSessions(gw, 3);
      expect([a.sessions.size, b.sessions.size]).toEqual([1, 3]);
      expect(backends.list()[0]).toEqual({
        ...{ url: a.origin, id: undefined, state: 'draining' },
        ...{ requests: 0, streams: 1, opened: 1 },
      });
      expect(await backends.drained(a.origin, { timeout: 20 })).toBe(false);
      const drained = backends.drained(a.origin);
      stream.close();
      expect(await drained).toBe(true);
      backends.undrain(a.origin);
      await openSessions(gw, 2);
      expect(a.sessions.size).toBe(2);
    },
  },
  {
    id: 'D10',
    title: 'a gateway that shuts down ends its streams, lets calls finish and opens nothing',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      const stream = await openStream(gw, id);
      const { promise: goOn, resolve } = deferred();
      a.answer = async ({ method }) => {
        if (method === 'POST') await goOn;
        return false;
      };
      const inFlight = call(gw, id).then(({ status }) => status);
      await a.hit(2);
      const closed = gw.sessions.close({ drain: 60_000 });
      expect(await stream.closed).toBe('broken');
      expectRefusal(await initialize(gw), 'shutting_down');
      expectRefusal(await post(gw, TOOLS_LIST), 'shutting_down');
      const again = request(gw.url).get('/mcp').set(ofSession(id));
      expectRefusal(await again.set('Accept', 'text/event-stream'), 'shutting_down');
      resolve();
      expect(await inFlight).toBe(200);
      await closed;
      await until(() => a.sockets.size === 0);
    },
  },
];
