import { gzipSync } from 'node:zlib';
import { expect } from '@jest/globals';
import request from 'supertest';
import {
  call,
  echoCall,
  INITIALIZE,
  initialize,
  ofSession,
  openSession,
  openSessions,
  openStream,
  post,
  terminate,
  TOOLS_LIST,
  VERSION_HEADERS,
} from '../../helpers/mcp-client.ts';
import { chunked, parseRaw, rawConnection, rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { expectRefusal, type AnswerLike } from '../../helpers/refusal.ts';
import { scriptedBackend, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import { hitsOf, type Rule } from './rule.ts';

/** All 94 characters of the grammar. */
const VISIBLE = Array.from({ length: 0x7e - 0x21 + 1 }, (_, at) =>
  String.fromCharCode(0x21 + at),
).join('');

/** Opens every session under this id. */
function issue(backend: ScriptedBackend, id: string): void {
  backend.answer = ({ headers, res }) => {
    if (headers['mcp-session-id'] !== undefined) return false;
    backend.sessions.add(id);
    res.writeHead(200, { 'Content-Type': 'application/json', 'Mcp-Session-Id': id }).end('{}');
    return true;
  };
}

/** Sends a request with `Connection: close` on a connection of its own. */
async function sendRaw(
  url: string,
  line: string,
  headers: readonly string[],
  body: string | Uint8Array = '',
): Promise<AnswerLike> {
  const raw = parseRaw(
    await rawHttp(url, rawRequest(line, [...headers, 'Connection: close'], body)),
  );
  return { status: raw.status, text: raw.body, headers: Object.fromEntries(raw.headers) };
}

const JSON_TYPE = 'Content-Type: application/json';

export const guard: readonly Rule[] = [
  {
    id: 'A1',
    title: 'every request of a session reaches the backend that opened it, whatever its method',
    async run(env) {
      const { gw, backends } = await env.routed(3);
      const ids = await openSessions(gw, 3);
      for (const id of [...ids, ...ids.toReversed()]) await call(gw, id).expect(200);
      for (const id of ids) (await openStream(gw, id)).close();
      for (const id of ids) await terminate(gw, id).expect(200);
      for (const [at, backend] of backends.entries()) {
        const seen = backend.hits.map(({ headers }) => headers['mcp-session-id']);
        expect(seen).toEqual([undefined, ...Array.from({ length: 4 }, () => ids[at])]);
      }
    },
  },
  {
    id: 'A1',
    title: 'method, path, query, Host and body of a pinned request arrive as they were sent',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      const path = '/mcp/%7Bx%7D//y?q=%2F&q={a}|b&empty=';
      const body = Buffer.from(' {"id" : 12345678901234567890,\t"method":"\u00e9\ud83d\ude00"}\n');
      const headers = [`Mcp-Session-Id: ${id}`, 'MCP-Protocol-Version: 2025-11-25', JSON_TYPE];
      await sendRaw(gw.url, `PATCH ${path}`, ['Host: mcp.example:81', ...headers], body);
      const { method, url, headers: received, body: arrived } = await a.hit(1);
      expect([method, url, received.host]).toEqual(['PATCH', path, 'mcp.example:81']);
      expect(arrived).toEqual(body);
    },
  },
  {
    id: 'A1',
    title: 'the backend that answered the opening request is recorded, not the first one tried',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      await a.refuse();
      const id = await openSession(gw);
      await a.reopen();
      for (let count = 0; count < 4; count += 1) await call(gw, id).expect(200);
      expect([a.hits.length, b.hits.length]).toEqual([0, 5]);
    },
  },
  {
    id: 'A1',
    title: 'the body of a pinned request with MCP-Protocol-Version goes on before it is complete',
    async run(env) {
      const early = await scriptedBackend(undefined, { early: true });
      const gw = await env.gateway({ options: { backends: early.origin } });
      const id = await openSession(gw);
      const connection = await rawConnection(gw.url);
      const headers = [`Mcp-Session-Id: ${id}`, 'MCP-Protocol-Version: 2025-11-25', JSON_TYPE];
      connection.write(rawRequest('POST /mcp', [...headers, 'Content-Length: 999'], '{"id":1'));
      expect((await early.hit(1)).headers['mcp-session-id']).toBe(id);
    },
  },
  {
    id: 'A1',
    title:
      'a session that a handler of the app has opened comes back to it, also beside a list of backends',
    async run(env) {
      const asked: unknown[] = [];
      const { gw, a } = await env.routed(1, {
        between: (app) =>
          app.post('/local', (req, res) => {
            asked.push(req.headers['mcp-session-id']);
            if (asked.length === 1) res.setHeader('Mcp-Session-Id', 'a-local-one');
            res.end('{}');
          }),
      });
      const id = await openSession(gw, '/local');
      await post(gw, TOOLS_LIST, ofSession(id), '/local').expect(200);
      await post(gw, TOOLS_LIST, ofSession(id)).expect(404, /"reason":"session_ended"/);
      expect([asked, a.hits]).toEqual([[undefined, 'a-local-one'], []]);
    },
  },
  {
    id: 'A2',
    title:
      'an id that was never issued is refused by 400, whatever the method, and no backend hears of it',
    async run(env) {
      const { gw, backends } = await env.routed(2);
      expectRefusal(await call(gw, 'never-issued'), 'unknown_session', { id: '2' });
      expectRefusal(await terminate(gw, 'never-issued'), 'unknown_session');
      const get = await request(gw.url).get('/mcp').set(ofSession('never-issued'));
      expectRefusal(get, 'unknown_session');
      expect(hitsOf(backends)).toBe(0);
    },
  },
  {
    id: 'A2',
    title: 'the refusal repeats the id of the request byte for byte',
    async run(env) {
      const { gw } = await env.routed(1);
      const ids = [
        '12345678901234567890',
        '1.50',
        '-0',
        '1e400',
        '"a\\u00e9\\"b"',
        '"\u00e9\ud83d\ude00"',
        '""',
      ];
      for (const id of ids) {
        const body = `{ "params": {"id": 1}, "id":99, "id" : ${id}\n, "method": "tools/list" }`;
        expectRefusal(await post(gw, body, ofSession('x')), 'unknown_session', { id });
      }
    },
  },
  {
    id: 'A2',
    title: 'the refusal leaves the id out where there is none to repeat',
    async run(env) {
      const { gw } = await env.routed(1);
      const bodies = [
        '{"jsonrpc":"2.0","method":"notifications/initialized"}',
        '{"jsonrpc":"2.0","id":null,"method":"tools/list"}',
        '{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}',
        '{"jsonrpc":"2.0","id":7,"result":{}}',
        `[${TOOLS_LIST}]`,
        '{"id":7,',
        '7',
      ];
      for (const body of bodies) {
        expectRefusal(await post(gw, body, ofSession('x')), 'unknown_session');
      }
    },
  },
  {
    id: 'A2',
    title: 'the refusal does not wait for a body that does not come',
    async run(env) {
      const { gw } = await env.routed(1);
      const head = ['Mcp-Session-Id: x', 'Content-Length: 100'];
      const raw = parseRaw(await rawHttp(gw.url, rawRequest('POST /mcp', head, '{"id":7')));
      const answer = {
        status: raw.status,
        text: raw.body,
        headers: Object.fromEntries(raw.headers),
      };
      expectRefusal(answer, 'unknown_session');
      expect(answer.headers['connection']).toBe('close');
    },
  },
  {
    id: 'A2',
    title: 'requests that are pipelined behind a refused one are carried out',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const last = rawRequest('GET /mcp?last', ['Connection: close']);
      const lines = ['Mcp-Session-Id: x', JSON_TYPE];
      const refused = [
        rawRequest('GET /mcp', lines),
        rawRequest('POST /mcp', [...lines, 'Content-Length: 0']),
        rawRequest('POST /mcp', lines, TOOLS_LIST),
        rawRequest('POST /mcp', lines, 'no JSON'),
        rawRequest('POST /mcp', ['Mcp-Session-Id: a b'], TOOLS_LIST),
        rawRequest('DELETE /mcp', ['Mcp-Session-Id: a b']),
      ];
      for (const [at, first] of refused.entries()) {
        const text = await rawHttp(gw.url, Buffer.concat([first, last]));
        expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 400', 'HTTP/1.1 200']);
        expect(a.hits).toHaveLength(at + 1);
      }
    },
  },
  {
    id: 'A2',
    title: 'of a body longer than maxBodySize the id is not repeated',
    async run(env) {
      const { gw } = await env.routed(1, { options: { maxBodySize: 1000 } });
      const body = (length: number): string => TOOLS_LIST.padEnd(length);
      expectRefusal(await post(gw, body(1000), ofSession('x')), 'unknown_session', { id: '7' });
      expectRefusal(await post(gw, body(1001), ofSession('x')), 'unknown_session');
      const headers = ['Mcp-Session-Id: x', 'Transfer-Encoding: chunked'];
      const chunks = chunked(body(500), body(501));
      const answer = await sendRaw(gw.url, 'POST /mcp', headers, chunks);
      expectRefusal(answer, 'unknown_session');
    },
  },
  {
    id: 'A2',
    title: 'unknownSessionStatus: 404 makes it 404, and nothing else of it',
    async run(env) {
      const { gw, a } = await env.routed(1, { options: { unknownSessionStatus: 404 } });
      expectRefusal(await call(gw, 'x'), 'unknown_session', { id: '2', status: 404 });
      expect(a.hits).toEqual([]);
    },
  },
  {
    id: 'A3',
    title: 'a session that was deleted is answered by 404, and no backend hears of it',
    async run(env) {
      const { gw, backends } = await env.routed(2);
      const id = await openSession(gw);
      await terminate(gw, id).expect(200);
      const before = hitsOf(backends);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expectRefusal(await terminate(gw, id), 'session_ended');
      expectRefusal(await request(gw.url).get('/mcp').set(ofSession(id)), 'session_ended');
      expect(hitsOf(backends)).toBe(before);
    },
  },
  {
    id: 'A3',
    title: 'a session that has expired is answered by 404 where the store tells the remaining time',
    async run(env) {
      const store = scriptedStore();
      const options = { ttl: 1000, endedTtl: 5000, cache: false } as const;
      const { gw, a } = await env.routed(1, { store, options });
      const id = await openSession(gw);
      store.put(id, store.recordOf(id), 5001);
      await call(gw, id).expect(200);
      store.put(id, store.recordOf(id), 5000);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expect(a.hits).toHaveLength(2);
    },
  },
  {
    id: 'A3',
    title: 'a session that has expired is answered by 404 in memory',
    async run(env) {
      const { gw, a } = await env.routed(1, { options: { ttl: 1 } });
      const id = await openSession(gw);
      // A request that comes within the millisecond is let through, and lets it live for another.
      let answer = await call(gw, id);
      while (answer.status === 200) answer = await call(gw, id);
      const hits = a.hits.length;
      expectRefusal(answer, 'session_ended', { id: '2' });
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expect(a.hits).toHaveLength(hits);
    },
  },
  {
    id: 'A3',
    title: 'with a store that cannot tell, a session that has expired is one that was never issued',
    async run(env) {
      const store = scriptedStore({ without: ['getWithExpiry'] });
      const { gw } = await env.routed(1, { store, options: { cache: false } });
      const id = await openSession(gw);
      store.kept.clear();
      expectRefusal(await call(gw, id), 'unknown_session', { id: '2' });
    },
  },
  {
    id: 'A4',
    title: 'a header that cannot be an id is refused without asking the store or a backend',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store });
      const values = ['', 'a b', 'a\tb', '\u00e9', '\u0080', 'x'.repeat(1025)];
      for (const value of values) {
        const headers = [`Mcp-Session-Id: ${value}`, JSON_TYPE];
        const answer = await sendRaw(gw.url, 'POST /mcp', headers, TOOLS_LIST);
        expectRefusal(answer, 'invalid_session_id', { id: '7' });
      }
      expect([a.hits, store.calls]).toEqual([[], []]);
    },
  },
  {
    id: 'A4',
    title: 'a header that is sent twice is refused, even if one of the two is a live session',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      for (const [first, second] of [
        [id, id],
        [id, 'x'],
        ['x', id],
        [id, ''],
        ['', id],
      ]) {
        const headers = [`Mcp-Session-Id: ${first}`, `mcp-session-id: ${second}`, JSON_TYPE];
        const answer = await sendRaw(gw.url, 'POST /mcp', headers, INITIALIZE);
        expectRefusal(answer, 'invalid_session_id', { id: '1' });
      }
      expect(a.hits).toHaveLength(1);
    },
  },
  {
    id: 'A4',
    title: 'an id of all 94 visible characters, or of 1024, is as good as any other',
    async run(env) {
      const { gw, a } = await env.routed(1);
      for (const id of [VISIBLE, VISIBLE.repeat(11).slice(0, 1024), ',', '"']) {
        expectRefusal(await call(gw, id), 'unknown_session', { id: '2' });
        issue(a, id);
        expect(await openSession(gw)).toBe(id);
        await call(gw, id).expect(200);
      }
    },
  },
  {
    id: 'A5',
    title:
      'initialize with an unknown id opens a session of its own, and the header goes no further',
    async run(env) {
      const { gw, backends } = await env.routed(2);
      const headers = ['mcp-SESSION-id: my-own-id', JSON_TYPE];
      const first = await sendRaw(gw.url, 'POST /mcp', headers, INITIALIZE);
      await initialize(gw, { 'Mcp-Session-Id': 'my-own-id' }).expect(200);
      expect(first.headers['mcp-session-id']).toMatch(/^a-/);
      // Balanced like any other: one each.
      for (const { hits } of backends) {
        expect(hits.map(({ body }) => body.toString())).toEqual([INITIALIZE]);
        expect(hits[0]?.rawHeaders.join().toLowerCase()).not.toContain('mcp-session-id');
      }
      expectRefusal(await call(gw, 'my-own-id'), 'unknown_session', { id: '2' });
    },
  },
  {
    id: 'A5',
    title:
      'initialize with the id of an ended session opens another; with or without the version header',
    async run(env) {
      const { gw } = await env.routed(1);
      const ended = await openSession(gw);
      await terminate(gw, ended).expect(200);
      for (const headers of [{ 'Mcp-Session-Id': ended }, ofSession(ended)]) {
        const answer = await initialize(gw, headers).expect(200);
        await call(gw, String(answer.get('Mcp-Session-Id'))).expect(200);
      }
      expectRefusal(await call(gw, ended), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'A5',
    title:
      'initialize with a live id and without MCP-Protocol-Version opens another and leaves the old one alone',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const old = await openSession(gw);
      const answer = await initialize(gw, { 'Mcp-Session-Id': old }).expect(200);
      expect(answer.get('Mcp-Session-Id')).toMatch(/^b-/);
      expect(b.hits[0]?.headers).not.toHaveProperty('mcp-session-id');
      await call(gw, old).expect(200);
      expect(a.hits).toHaveLength(2);
    },
  },
  {
    id: 'A5',
    title: 'initialize with a live id and MCP-Protocol-Version is answered by the owner',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const id = await openSession(gw);
      await initialize(gw, ofSession(id)).expect(200);
      expect(a.hits.map(({ headers }) => headers['mcp-session-id'])).toEqual([undefined, id]);
      expect(b.hits).toEqual([]);
    },
  },
  {
    id: 'A5',
    title:
      'another request with a live id and without MCP-Protocol-Version is pinned, its body untouched',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const id = await openSession(gw);
      const body = ` ${echoCall('caf\u00e9')}\n`;
      await post(gw, body, { 'Mcp-Session-Id': id }).expect(200);
      expect((await a.hit(1)).body.toString()).toBe(body);
      expect(b.hits).toEqual([]);
    },
  },
  {
    id: 'A5',
    title: 'initialize with an id is answered by 503 while the store fails',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store });
      store.fault = 'reject';
      const answer = await initialize(gw, { 'Mcp-Session-Id': 'x' });
      expectRefusal(answer, 'store_unavailable', { id: '1' });
      expect(a.hits).toEqual([]);
    },
  },
  {
    id: 'A6',
    title: 'a batch with initialize among its members passes where a single initialize does',
    async run(env) {
      const { gw } = await env.routed(1);
      const ended = await openSession(gw);
      const live = await openSession(gw);
      await terminate(gw, ended).expect(200);
      const batch = `[${TOOLS_LIST}, 1, null, ${INITIALIZE}]`;
      for (const id of ['never-issued', ended, live]) {
        const answer = await post(gw, batch, { 'Mcp-Session-Id': id }).expect(200);
        expect(answer.text).toContain('"backend":"a"');
      }
    },
  },
  {
    id: 'A6',
    title: 'a batch without initialize follows the rules of any other request',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const live = await openSession(gw);
      const ended = await openSession(gw);
      await terminate(gw, ended).expect(200);
      const batch = `[${TOOLS_LIST},[${INITIALIZE}]]`;
      expectRefusal(await post(gw, batch, { 'Mcp-Session-Id': 'x' }), 'unknown_session');
      expectRefusal(await post(gw, batch, { 'Mcp-Session-Id': ended }), 'session_ended');
      await post(gw, batch, { 'Mcp-Session-Id': live });
      expect((await a.hit(1)).body.toString()).toBe(batch);
      expect(b.hits).toHaveLength(2);
    },
  },
  {
    id: 'A7',
    title: 'requests without an id are balanced, whatever they are, and the store is never asked',
    async run(env) {
      const store = scriptedStore();
      const { gw, a, b } = await env.routed(2, { store });
      await post(gw, TOOLS_LIST).expect(200);
      await request(gw.url).get('/.well-known/oauth-protected-resource').expect(200);
      await request(gw.url).options('/mcp').expect(200);
      await request(gw.url).delete('/mcp').expect(200);
      await post(gw, '{"id":1,"method":"server/discover"}', VERSION_HEADERS).expect(200);
      await request(gw.url).get('/mcp').expect(200);
      expect([a.hits.length, b.hits.length, store.calls]).toEqual([3, 3, []]);
    },
  },
  {
    id: 'A7',
    title: 'requests without an id are served while the store fails',
    async run(env) {
      const store = scriptedStore();
      const { gw } = await env.routed(1, { store });
      store.fault = 'hang';
      await post(gw, TOOLS_LIST).expect(200);
      await request(gw.url).get('/mcp').expect(200);
    },
  },
  {
    id: 'A7',
    title: 'an answer without an id is not held',
    async run(env) {
      const { gw, a } = await env.routed(1);
      a.answer = ({ res }) => res.writeHead(200, { 'Content-Type': 'text/plain' }).write('half of');
      const connection = await rawConnection(gw.url);
      connection.write(rawRequest('POST /mcp', [JSON_TYPE], TOOLS_LIST));
      await connection.until('half of');
      a.hits[0]?.res.end(' it');
      await connection.until('it');
      expect(connection.text).toContain('half of');
    },
  },
  {
    id: 'A7',
    title: 'a function chooses where requests without a session go, and is not asked for others',
    async run(env) {
      const asked: [readonly string[], string | undefined][] = [];
      const { gw, backends, a, b } = await env.routed(2, {
        options: {
          balance(candidates, req) {
            asked.push([candidates, req.headers['x-tenant']?.toString()]);
            return candidates[1] ?? '';
          },
        },
      });
      const id = String((await initialize(gw, { 'X-Tenant': 'blue' })).get('Mcp-Session-Id'));
      await call(gw, id).expect(200);
      expect(asked).toEqual([[backends.map(({ origin }) => origin), 'blue']]);
      expect([a.hits.length, b.hits.length]).toEqual([0, 2]);
    },
  },
  {
    id: 'A7',
    title: 'server/discover goes to the next backend if the first refuses the connection',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      await a.refuse();
      await post(gw, '{"id":1,"method":"server/discover"}').expect(200);
      expect(b.hits).toHaveLength(1);
    },
  },
  {
    id: 'A8',
    title: 'a body that is not clearly initialize does not pass with an unknown id',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const bodies = [
        'initialize',
        '"initialize"',
        INITIALIZE.slice(0, -1),
        `\ufeff${INITIALIZE}`,
        '{"params":{"method":"initialize"}}',
        '{"Method":"initialize"}',
        '{"method":["initialize"]}',
        '{"method":"initialize "}',
        '{"method":"initialize","method":"tools/list"}',
        '{"method":"initialize","\\u006dethod":"tools/list"}',
        '{"__proto__":{"method":"initialize"}}',
        '',
      ];
      for (const body of bodies) {
        expectRefusal(await post(gw, body, { 'Mcp-Session-Id': 'x' }), 'unknown_session');
      }
      expect(a.hits).toEqual([]);
    },
  },
  {
    id: 'A8',
    title: 'of duplicate method members the last one counts',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const body = '{"id":1,"method":"tools/list","m\\u0065thod":"initialize"}';
      await post(gw, body, { 'Mcp-Session-Id': 'x' }).expect(200);
      expect(a.hits[0]?.body.toString()).toBe(body);
    },
  },
  {
    id: 'A8',
    title: 'a compressed or over-long initialize counts as none',
    async run(env) {
      const { gw, a } = await env.routed(1, { options: { maxBodySize: 1000 } });
      const headers = ['Mcp-Session-Id: x', JSON_TYPE];
      const packed = [...headers, 'Content-Encoding: gzip'];
      const compressed = await sendRaw(gw.url, 'POST /mcp', packed, gzipSync(INITIALIZE));
      expectRefusal(compressed, 'unknown_session');
      const long = await post(gw, INITIALIZE.padEnd(1001), { 'Mcp-Session-Id': 'x' });
      expectRefusal(long, 'unknown_session');
      expect(a.hits).toEqual([]);
    },
  },
  {
    id: 'A9',
    title: 'a store that throws, fails or never answers is answered by 503, for every method',
    async run(env) {
      for (const fault of ['throw', 'reject', 'hang'] as const) {
        const store = scriptedStore();
        const options = { storeTimeout: 50, cache: false } as const;
        const { gw, a } = await env.routed(1, { store, options });
        const id = await openSession(gw);
        store.fault = fault;
        for (const each of [id, 'never-issued']) {
          expectRefusal(await call(gw, each), 'store_unavailable', { id: '2' });
          expectRefusal(await terminate(gw, each), 'store_unavailable');
          const get = await request(gw.url).get('/mcp').set(ofSession(each));
          expectRefusal(get, 'store_unavailable');
        }
        expect(a.hits).toHaveLength(1);
      }
    },
  },
  {
    id: 'A9',
    title: 'any error of the store is an outage, and it heals when the store does',
    async run(env) {
      const store = scriptedStore();
      const { gw } = await env.routed(1, { store, options: { cache: false } });
      const id = await openSession(gw);
      for (const error of [undefined, null, 'down', 404, new Error('NOAUTH'), { code: 'x' }]) {
        Object.assign(store, { fault: 'reject', error });
        expectRefusal(await call(gw, id), 'store_unavailable', { id: '2' });
      }
      store.fault = undefined;
      await call(gw, id).expect(200);
    },
  },
  {
    id: 'A9',
    title: 'a session in the local cache is served on while the store fails, others are not',
    async run(env) {
      const store = scriptedStore();
      const { gw } = await env.routed(1, { store, options: { cache: { maxAge: 1 } } });
      const id = await openSession(gw);
      await call(gw, id).expect(200);
      store.fault = 'reject';
      // Asks the store, until it has failed once; then for a moment without asking.
      const reads = store.calls.length;
      while (store.calls.length === reads) await call(gw, id).expect(200);
      await call(gw, id).expect(200);
      expectRefusal(await call(gw, 'another'), 'store_unavailable', { id: '2' });
    },
  },
  {
    id: 'A9',
    title: 'a cached session is not served for longer than cache.maxStale',
    async run(env) {
      const store = scriptedStore();
      const cache = { maxAge: 1, maxStale: 2 };
      const { gw, a } = await env.routed(1, { store, options: { cache } });
      const id = await openSession(gw);
      store.fault = 'reject';
      let answer = await call(gw, id);
      while (answer.status === 200) answer = await call(gw, id);
      expectRefusal(answer, 'store_unavailable', { id: '2' });
      const { length } = a.hits;
      expectRefusal(await call(gw, id), 'store_unavailable', { id: '2' });
      expect(a.hits).toHaveLength(length);
    },
  },
  {
    id: 'A10',
    title: 'a record that cannot be read ends the session, is counted, and leads nowhere',
    async run(env) {
      const store = scriptedStore();
      const { gw, a, b } = await env.routed(2, { store, options: { cache: false } });
      const id = await openSession(gw);
      const other = await openSession(gw);
      const record = store.recordOf(id);
      const unusable = [
        'text',
        7,
        true,
        [],
        {},
        [record],
        JSON.stringify(record),
        Object.create(record ?? null) as object,
        { ...record, session: 'f'.repeat(64) },
        { ...record, version: '1' },
        { ...record, version: 1.5 },
        { ...record, nonce: undefined },
        { ...record, format: 0 },
        store.recordOf(other),
      ];
      for (const found of unusable) {
        store.kept.set(keyOfRecord(record), { record: found, expiresIn: 1e9 });
        expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      }
      expect(gw.sessions.stats().unusableRecords).toBe(unusable.length);
      expect([a.hits.length, b.hits.length]).toEqual([1, 1]);
    },
  },
  {
    id: 'A10',
    title: 'a record of a newer layout is left as it is, whatever is asked of its session',
    async run(env) {
      const store = scriptedStore();
      const { gw } = await env.routed(1, { store, options: { cache: false } });
      const id = await openSession(gw);
      const newer = { ...store.recordOf(id), format: 2, shards: ['x'] };
      store.put(id, newer);
      const before = store.calls.length;
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expectRefusal(await terminate(gw, id), 'session_ended');
      await initialize(gw, { 'Mcp-Session-Id': id }).expect(200);
      expect(await gw.sessions.end(id)).toBe(false);
      expect(store.recordOf(id)).toEqual(newer);
      const touched = store.calls.slice(before).filter(({ key }) => key === keyOfRecord(newer));
      expect(new Set(touched.map(({ verb }) => verb))).toEqual(new Set(['getWithExpiry']));
    },
  },
  {
    id: 'A12',
    title: 'an id anywhere but in its header is no key',
    async run(env) {
      const store = scriptedStore();
      const { gw, a, b } = await env.routed(2, { store });
      const id = await openSession(gw);
      await openSession(gw);
      const before = store.calls.length;
      const requests = [
        request(gw.url).get(`/mcp?Mcp-Session-Id=${id}&sessionId=${id}`),
        post(gw, TOOLS_LIST, { Cookie: `Mcp-Session-Id=${id}; mcp-session-id=${id}` }),
        post(gw, `{"id":1,"method":"x","params":{"sessionId":"${id}"},"Mcp-Session-Id":"${id}"}`),
        post(gw, TOOLS_LIST, { mcp_session_id: id }),
        post(gw, TOOLS_LIST, { 'X-Mcp-Session-Id': id, Authorization: id }),
        post(gw, TOOLS_LIST, {}, `/mcp/${id}`),
      ];
      for (const each of requests) await each.expect(200);
      expect(store.calls).toHaveLength(before);
      expect([a.hits.length, b.hits.length]).toEqual([4, 4]);
    },
  },
  {
    id: 'A13',
    title: 'a request that is skipped is untouched: no refusal, no route, no record',
    async run(env) {
      const store = scriptedStore();
      const target = await scriptedBackend();
      const { gw, a } = await env.routed(1, {
        store,
        options: { skip: (req) => req.url === '/other' },
        proxyOptions: { target: target.origin },
      });
      const headers = { 'Mcp-Session-Id': 'not valid', ...VERSION_HEADERS };
      await post(gw, TOOLS_LIST, headers, '/other');
      await post(gw, INITIALIZE, {}, '/other').expect(200).expect('Mcp-Session-Id', /^b-/);
      expect(target.hits[0]?.headers['mcp-session-id']).toBe('not valid');
      expect([a.hits, store.calls]).toEqual([[], []]);
      expectRefusal(await post(gw, TOOLS_LIST, headers), 'invalid_session_id', { id: '7' });
    },
  },
];

function keyOfRecord(record: Record<string, unknown> | undefined): string {
  return String(record?.['session']);
}
