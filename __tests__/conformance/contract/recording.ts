import { expect } from '@jest/globals';
import request from 'supertest';
import { call, initialize, openSession, openStream, terminate } from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import type { Answer, ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { keyOf, scriptedStore } from '../../helpers/scripted-store.ts';
import { hitsOf, type Rule } from './rule.ts';

/** Answers requests without a session with this status, id and body. */
function openWith(
  status: number,
  id: string,
  body = '{"jsonrpc":"2.0","id":1,"result":{}}',
): Answer {
  return ({ headers, res }) => {
    if (headers['mcp-session-id'] !== undefined) return false;
    res.writeHead(status, { 'Content-Type': 'application/json', 'Mcp-Session-Id': id }).end(body);
    return true;
  };
}

/** Sessions of the backend get this answer, with another session's id. */
function answerWith(status: number, headers: Record<string, string>, body: string): Answer {
  return ({ headers: asked, res }) => {
    if (asked['mcp-session-id'] === undefined) return false;
    res.writeHead(status, headers).end(body);
    return true;
  };
}

function deletionOf(backend: ScriptedBackend, id: string): Promise<unknown> {
  return backend.hitWhere(
    ({ method, headers }) => method === 'DELETE' && headers['mcp-session-id'] === id,
  );
}

export const recording: readonly Rule[] = [
  {
    id: 'B3',
    title: 'of an answer without an id nothing is recorded, and later requests are balanced',
    async run(env) {
      const store = scriptedStore();
      const { gw, backends } = await env.routed(2, { store });
      for (const backend of backends) backend.answer = ({ res }) => res.end('{}');
      for (let count = 0; count < 4; count += 1) await initialize(gw).expect(200, '{}');
      expect(backends.map(({ hits }) => hits.length)).toEqual([2, 2]);
      expect(store.calls).toEqual([]);
    },
  },
  {
    id: 'B4',
    title: 'an error with an id is passed on without it, and nothing is recorded',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store });
      for (const status of [400, 401, 404, 429, 500, 503]) {
        a.answer = openWith(status, 'not-for-you', `{"status":${status}}`);
        const answer = await initialize(gw).expect(status, `{"status":${status}}`);
        expect(answer.headers).not.toHaveProperty('mcp-session-id');
      }
      a.answer = openWith(500, 'not valid');
      expect((await initialize(gw).expect(500)).headers).not.toHaveProperty('mcp-session-id');
      expect(store.calls).toEqual([]);
    },
  },
  {
    id: 'B4',
    title: 'an answer that is no success opens no session, whatever id it carries',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store });
      a.answer = openWith(307, 'not-for-you');
      const answer = await initialize(gw).redirects(0).expect(307);
      expect(answer.headers).not.toHaveProperty('mcp-session-id');
      expect(store.calls).toEqual([]);
    },
  },
  {
    id: 'B4',
    title: 'a success with an id that fails the grammar is 502, and nothing is recorded',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store });
      for (const id of ['not valid', 'x'.repeat(1025), '\u00e9', '']) {
        a.answer = openWith(200, id, 'a secret of the backend');
        expectRefusal(await initialize(gw), 'invalid_backend_answer');
      }
      expect(store.calls).toEqual([]);
    },
  },
  {
    id: 'A7',
    title:
      'an id on the answer to a request that opens nothing is removed, since it was not stored',
    async run(env) {
      const store = scriptedStore();
      const setUps = env.proxy === 'forward' ? [{}] : [{}, { plugins: undefined }];
      for (const proxyOptions of setUps) {
        const { gw, a } = await env.routed(1, { store, proxyOptions });
        a.answer = ({ res }) => res.setHeader('Mcp-Session-Id', 'a-stray-one').end('{}');
        for (const method of ['get', 'head', 'put', 'options', 'delete', 'patch'] as const) {
          const answer = await request(gw.url)[method]('/mcp').expect(200);
          expect(answer.headers).not.toHaveProperty('mcp-session-id');
        }
        expect([a.hits.length, store.calls]).toEqual([6, []]);
      }
    },
  },
  {
    id: 'B4',
    title: 'two ids in one answer are 502',
    async run(env) {
      const { gw, a } = await env.routed(1);
      a.answer = ({ res }) => res.setHeader('Mcp-Session-Id', ['one', 'two']).end('{}');
      expectRefusal(await initialize(gw), 'invalid_backend_answer');
    },
  },
  {
    id: 'B5',
    title: 'an id of another backend is 502; the old session stays, the newcomer is told to forget',
    async run(env) {
      const store = scriptedStore();
      const { gw, a, b } = await env.routed(2, { store });
      const id = await openSession(gw);
      const before = structuredClone(store.recordOf(id));
      b.answer = openWith(200, id, 'a secret of the backend');
      expectRefusal(await initialize(gw), 'invalid_backend_answer');
      await deletionOf(b, id);
      expect(store.recordOf(id)).toEqual(before);
      await call(gw, id).expect(200);
      expect([a.hits.length, a.sessions.has(id)]).toEqual([2, true]);
    },
  },
  {
    id: 'B5',
    title: 'an id of a session that was ended is 502, and stays ended',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      await terminate(gw, id).expect(200);
      a.answer = openWith(200, id);
      expectRefusal(await initialize(gw), 'invalid_backend_answer');
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'B5',
    title: 'the same backend may answer twice with the same id',
    async run(env) {
      const { gw, a } = await env.routed(1);
      a.answer = openWith(200, 'the-only-one');
      a.sessions.add('the-only-one');
      await openSession(gw);
      expect(await openSession(gw)).toBe('the-only-one');
      await call(gw, 'the-only-one').expect(200);
      expect(a.hits.map(({ method }) => method)).not.toContain('DELETE');
    },
  },
  {
    id: 'B6',
    title: 'an answer to a session never carries the id of another one',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      const other = await openSession(gw);
      for (const status of [200, 202, 403, 500]) {
        for (const foreign of [other, 'never-issued', 'not valid', '']) {
          a.answer = answerWith(status, { 'Mcp-Session-Id': foreign }, 'answered');
          const answer = await call(gw, id).expect(status, 'answered');
          expect(answer.headers).not.toHaveProperty('mcp-session-id');
        }
      }
    },
  },
  {
    id: 'B6',
    title: 'neither does an event stream, nor a 404 that ends the session',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      const type = 'text/event-stream';
      a.answer = answerWith(
        200,
        { 'Content-Type': type, 'Mcp-Session-Id': 'other' },
        'data: 1\n\n',
      );
      expect((await openStream(gw, id)).headers).not.toHaveProperty('mcp-session-id');
      a.answer = answerWith(404, { 'Mcp-Session-Id': 'other' }, 'gone');
      expect((await call(gw, id).expect(404, 'gone')).headers).not.toHaveProperty('mcp-session-id');
    },
  },
  {
    id: 'B6',
    title: "an answer to a session may carry that session's own id",
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      a.answer = answerWith(200, { 'Mcp-Session-Id': id }, 'answered');
      await call(gw, id).expect(200, 'answered').expect('Mcp-Session-Id', id);
    },
  },
  {
    id: 'B8',
    title: 'a session in use lives on: its time is set anew, at most once in a tenth of the ttl',
    async run(env) {
      const store = scriptedStore();
      const options = { ttl: 100_000, endedTtl: 5000, cache: { maxAge: 1 } };
      const { gw } = await env.routed(1, { store, options });
      const id = await openSession(gw);
      store.put(id, store.recordOf(id), 5000 + 95_000);
      while (!store.verbs().includes('getWithExpiry')) await call(gw, id).expect(200);
      expect(store.verbs()).not.toContain('touch');
      store.put(id, store.recordOf(id), 5000 + 80_000);
      while (!store.verbs().includes('touch')) await call(gw, id).expect(200);
      expect(store.kept.get(keyOf(id))?.expiresIn).toBe(105_000);
      for (let count = 0; count < 10; count += 1) await call(gw, id).expect(200);
      expect(store.verbs().filter((verb) => verb === 'touch')).toHaveLength(1);
    },
  },
  {
    id: 'B8',
    title: 'an open event stream keeps its session alive',
    async run(env) {
      const store = scriptedStore();
      const { gw, backends } = await env.routed(1, { store, options: { ttl: 200 } });
      const id = await openSession(gw);
      const stream = await openStream(gw, id);
      const before = store.verbs().filter((verb) => verb === 'touch').length;
      await store.called('touch', before + 3);
      expect(hitsOf(backends)).toBe(2);
      stream.close();
      await stream.closed;
    },
  },
  {
    id: 'B8',
    title:
      'a gateway that learns of a session refreshes it, also in a store without touch or remaining time',
    async run(env) {
      const store = scriptedStore({ without: ['touch', 'getWithExpiry'] });
      const { gw, a } = await env.routed(1, { store, options: { ttl: 5000 } });
      const other = await env.gateway({ store, options: { backends: a.origin, ttl: 7000 } });
      const id = await openSession(gw);
      const record = structuredClone(store.recordOf(id));
      await call(other, id).expect(200);
      await store.called('replace');
      await call(other, id).expect(200);
      expect(store.kept.get(keyOf(id))).toEqual({ record, expiresIn: 7000 });
    },
  },
];
