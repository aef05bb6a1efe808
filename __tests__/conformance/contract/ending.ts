import { gzipSync } from 'node:zlib';
import { expect } from '@jest/globals';
import request from 'supertest';
import {
  call,
  ofSession,
  openSession,
  openSessions,
  openStream,
  post,
  terminate,
  TOOLS_LIST,
} from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import type { Answer } from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import { hitsOf, type Rule } from './rule.ts';

type Headers = Record<string, string>;

const JSON_HEADERS: Headers = { 'Content-Type': 'application/json' };
const TEXT_HEADERS: Headers = { 'Content-Type': 'text/plain' };

/** Requests of sessions get this answer. */
function answerWith(status: number, body: string | Buffer, given?: Headers): Answer {
  const headers = given ?? (body.toString().startsWith('{') ? JSON_HEADERS : TEXT_HEADERS);
  return (hit) => {
    if (hit.headers['mcp-session-id'] === undefined) return false;
    hit.res.writeHead(status, headers).end(body);
    return true;
  };
}

function jsonRpcError(code: number, message: string): string {
  return `{"jsonrpc": "2.0", "error": {"code": ${code}, "message": "${message}"}, "id": null}`;
}

function isBrokenOff(error: { readonly code?: string }): boolean {
  return error.code === 'ECONNRESET';
}

export const ending: readonly Rule[] = [
  {
    id: 'C1',
    title:
      'a DELETE that the backend answers by 2xx or 404 ends the session, on its word as it stands',
    async run(env) {
      const { gw, a } = await env.routed(1);
      for (const status of [200, 202, 204, 404]) {
        a.answer = undefined;
        const id = await openSession(gw);
        a.answer = answerWith(status, status === 204 ? '' : 'over', {});
        await terminate(gw, id).expect(status, status === 204 ? '' : 'over');
        a.answer = undefined;
        expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      }
    },
  },
  {
    id: 'C1',
    title: 'it stays ended even if the backend echoes the id in that answer',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      a.answer = answerWith(200, '', { 'Mcp-Session-Id': id });
      await terminate(gw, id).expect(200);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'C1',
    title: 'it has ended before the client gets the answer',
    async run(env) {
      const store = scriptedStore();
      const { gw } = await env.routed(1, { store });
      const id = await openSession(gw);
      await terminate(gw, id).expect(200);
      expect(store.recordOf(id)).toHaveProperty('ended');
    },
  },
  {
    id: 'C1',
    title: 'it has ended on every gateway of the store, and its streams are closed on all of them',
    async run(env) {
      const store = scriptedStore();
      const { gw, backends } = await env.routed(1, { store });
      const origins = backends.map(({ origin }) => origin);
      const other = await env.gateway({ store, options: { backends: origins } });
      const [id = '', bystander = ''] = await openSessions(gw, 2);
      const streams = [await openStream(gw, id), await openStream(other, id)];
      const kept = await openStream(other, bystander);
      await call(other, id).expect(200);
      await terminate(gw, id).expect(200);
      for (const stream of streams) await stream.closed;
      expectRefusal(await call(other, id), 'session_ended', { id: '2' });
      expect(other.sessions.stats().streams).toBe(1);
      kept.close();
    },
  },
  {
    id: 'C1',
    title: 'a gateway that hears of no endings learns of it within a second',
    async run(env) {
      const store = scriptedStore({ without: ['subscribe'] });
      const { gw, backends } = await env.routed(1, { store });
      const origins = backends.map(({ origin }) => origin);
      const other = await env.gateway({ store, options: { backends: origins } });
      const id = await openSession(gw);
      await call(other, id).expect(200);
      for (const { sessions } of backends) sessions.add(`${id}-kept`);
      await terminate(gw, id).expect(200);
      const ended = performance.now();
      for (const backend of backends) backend.sessions.add(id);
      let answer = await call(other, id);
      while (answer.status === 200) answer = await call(other, id);
      expectRefusal(answer, 'session_ended', { id: '2' });
      expect(performance.now() - ended).toBeLessThan(2000);
    },
  },
  {
    id: 'C1',
    title: 'it is not forgotten here while the store cannot be told',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store });
      const id = await openSession(gw);
      store.fault = 'reject';
      await terminate(gw, id).expect(200);
      a.sessions.add(id);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'C2',
    title: 'a DELETE that the backend refuses is passed on, and the session is kept',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      for (const status of [400, 401, 405, 500, 501, 503]) {
        a.answer = answerWith(status, `{"no":${status}}`, { Allow: 'GET, POST' });
        await terminate(gw, id).expect(status, `{"no":${status}}`).expect('Allow', 'GET, POST');
        a.answer = undefined;
        await call(gw, id).expect(200);
      }
    },
  },
  {
    id: 'C3',
    title: 'a DELETE whose backend refuses connections is 204, and no other backend hears of it',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const id = await openSession(gw);
      await a.refuse();
      const answer = await terminate(gw, id).expect(204, '');
      expect(answer.headers).not.toHaveProperty('mcp-session-id');
      await a.reopen();
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expect([a.hits.length, b.hits.length]).toEqual([1, 0]);
    },
  },
  {
    id: 'C3',
    title: 'a DELETE whose backend is not in the list any more is 204',
    async run(env) {
      const store = scriptedStore();
      const { gw, a, b } = await env.routed(2, { store });
      const id = await openSession(gw);
      const later = await env.gateway({ store, options: { backends: b.origin } });
      await terminate(later, id).expect(204, '');
      expectRefusal(await call(later, id), 'session_ended', { id: '2' });
      expect([a.hits.length, b.hits.length]).toEqual([1, 0]);
    },
  },
  {
    id: 'C4',
    title: 'a 404 with -32001, or without a JSON-RPC body, is passed on and ends the session',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const bodies: [string, Headers?][] = [
        [jsonRpcError(-32001, 'Session not found')],
        ['{"detail":"Not Found"}'],
        ['<h1>Not found</h1>', { 'Content-Type': 'text/html' }],
        ['', {}],
        ['null'],
      ];
      for (const [body, headers] of bodies) {
        a.answer = undefined;
        const id = await openSession(gw);
        a.answer = answerWith(404, body, headers);
        await call(gw, id).expect(404, body);
        expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      }
    },
  },
  {
    id: 'C4',
    title: 'so does one to GET, and one that comes in pieces',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const [id = '', other = ''] = await openSessions(gw, 2);
      a.answer = ({ res }) => {
        res.writeHead(404, JSON_HEADERS);
        res.write('{"jsonrpc":"2.0","error":{"co');
        setImmediate(() => res.end('de":-32001,"message":"x"}}'));
      };
      await call(gw, id).expect(404, '{"jsonrpc":"2.0","error":{"code":-32001,"message":"x"}}');
      await request(gw.url).get('/mcp').set(ofSession(other)).expect(404);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expectRefusal(await call(gw, other), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'C4',
    title: 'a compressed 404 without a JSON-RPC body ends the session too',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      const headers = { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip' };
      a.answer = answerWith(404, gzipSync('<h1>Not found</h1>'), headers);
      await call(gw, id).expect(404, '<h1>Not found</h1>');
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'C4',
    title: 'a 404 with another JSON-RPC error, such as -32601, ends nothing',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      for (const code of [-32601, -32002, 404]) {
        a.answer = answerWith(404, jsonRpcError(code, 'no'));
        await call(gw, id).expect(404, jsonRpcError(code, 'no'));
      }
      a.answer = answerWith(404, '{"jsonrpc":"2.0","id":1,"result":{}}');
      await call(gw, id).expect(404);
      a.answer = undefined;
      await call(gw, id).expect(200);
    },
  },
  {
    id: 'C4',
    title: 'a 404 on another path than the one on which the session was opened ends nothing',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw, '/mcp/v1?tenant=1');
      a.answer = answerWith(404, 'Cannot POST');
      for (const path of ['/mcp', '/mcp/v1/', '/.well-known/oauth-protected-resource', '/']) {
        await post(gw, TOOLS_LIST, ofSession(id), path).expect(404, 'Cannot POST');
      }
      a.answer = undefined;
      await post(gw, TOOLS_LIST, ofSession(id), '/mcp/v1').expect(200);
      a.answer = answerWith(404, 'Cannot POST');
      await post(gw, TOOLS_LIST, ofSession(id), '/mcp/v1?tenant=2').expect(404, 'Cannot POST');
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'C5',
    title: 'the two 400 answers of servers that have lost a session become 404 -32001',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const messages = [
        'Bad Request: No valid session ID provided',
        'Bad Request: Server not initialized',
      ];
      for (const message of messages) {
        a.answer = undefined;
        const id = await openSession(gw);
        a.answer = answerWith(400, jsonRpcError(-32000, message));
        expectRefusal(await call(gw, id), 'session_lost');
        a.answer = undefined;
        expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      }
    },
  },
  {
    id: 'C5',
    title: 'any other 400 is passed on as it is, and the session is kept',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      const bodies: (readonly [number, string])[] = [
        [400, jsonRpcError(-32000, 'Bad Request: Unsupported protocol version')],
        [400, ''],
        [400, 'x'.repeat(100_000)],
        [422, jsonRpcError(-32000, 'No valid session ID provided')],
      ];
      for (const [status, body] of bodies) {
        a.answer = answerWith(status, body);
        await call(gw, id).expect(status, body);
      }
      a.answer = undefined;
      await call(gw, id).expect(200);
    },
  },
  {
    id: 'C5',
    title: 'the option lostSession says which answers they are',
    async run(env) {
      const asked: [number, string][] = [];
      const { gw, a } = await env.routed(1, {
        options: {
          lostSession(status, body) {
            asked.push([status, body]);
            return status === 410;
          },
        },
      });
      const id = await openSession(gw);
      a.answer = answerWith(400, 'No valid session ID provided');
      await call(gw, id).expect(400, 'No valid session ID provided');
      a.answer = answerWith(410, 'gone');
      expectRefusal(await call(gw, id), 'session_lost');
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expect(asked).toEqual([
        [400, 'No valid session ID provided'],
        [410, 'gone'],
      ]);
    },
  },
  {
    id: 'C5',
    title:
      'a session that another gateway has moved meanwhile is not ended on the word of its old backend',
    async run(env) {
      const store = scriptedStore();
      const { gw, a, b } = await env.routed(2, { store });
      const id = await openSession(gw);
      b.sessions.add(id);
      store.put(id, { ...store.recordOf(id), version: 2, backend_url: b.origin });
      a.answer = answerWith(400, 'Server not initialized');
      await call(gw, id).expect(400, 'Server not initialized');
      expect(store.recordOf(id)).not.toHaveProperty('ended');
      await call(gw, id).expect(200);
      expect(b.hits).toHaveLength(1);
    },
  },
  {
    id: 'C6',
    title: 'sessions.end(id) ends a session everywhere and closes its streams',
    async run(env) {
      const store = scriptedStore();
      const { gw, backends } = await env.routed(1, { store });
      const origins = backends.map(({ origin }) => origin);
      const other = await env.gateway({ store, options: { backends: origins } });
      const id = await openSession(gw);
      const streams = [await openStream(gw, id), await openStream(other, id)];
      expect(await gw.sessions.end(id)).toBe(true);
      for (const stream of streams) expect(await stream.closed).toBe('broken');
      const before = hitsOf(backends);
      for (const each of [gw, other]) {
        expectRefusal(await call(each, id), 'session_ended', { id: '2' });
        expect(each.sessions.stats().streams).toBe(0);
      }
      expect(hitsOf(backends)).toBe(before);
    },
  },
  {
    id: 'C6',
    title: 'a stream whose head comes after its session has ended is closed',
    async run(env) {
      for (const store of [undefined, scriptedStore({ without: ['subscribe'] })]) {
        const { gw, a } = await env.routed(1, { store });
        const id = await openSession(gw);
        a.answer = ({ method }) => method === 'GET';
        const answer = request(gw.url).get('/mcp').set(ofSession(id)).then(String, isBrokenOff);
        const { res } = await a.hitWhere(({ method }) => method === 'GET');
        await gw.sessions.end(id);
        res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: late\n\n');
        expect(await answer).toBe(true);
        expect(gw.sessions.stats().streams).toBe(0);
      }
    },
  },
  {
    id: 'C6',
    title: 'sessions.end(id) tells whether there was anything to end',
    async run(env) {
      const store = scriptedStore();
      const { gw } = await env.routed(1, { store });
      const id = await openSession(gw);
      for (const none of ['never-issued', 'not valid', '']) {
        expect(await gw.sessions.end(none)).toBe(false);
      }
      expect([await gw.sessions.end(id), await gw.sessions.end(id)]).toEqual([true, false]);
      store.fault = 'reject';
      await expect(gw.sessions.end(id)).rejects.toMatchObject({ code: 'store_unavailable' });
    },
  },
];
