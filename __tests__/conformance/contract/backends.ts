import { expect } from '@jest/globals';
import request from 'supertest';
import { blackHole } from '../../helpers/black-hole.ts';
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
} from '../../helpers/mcp-client.ts';
import { parseRaw, rawConnection, rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { scriptedBackend, type Answer } from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import { until } from '../../helpers/until.ts';
import { hitsOf, type Rule } from './rule.ts';

/** Nothing listens at the address of a backend that was closed. */
async function closedPort(): Promise<string> {
  const backend = await scriptedBackend();
  await backend.close();
  return backend.origin;
}

/** Requests of sessions are left without an answer, in this way. */
function failWith(fail: (hit: Parameters<Answer>[0]) => unknown): Answer {
  return (hit) => {
    if (hit.headers['mcp-session-id'] === undefined) return false;
    fail(hit);
    return true;
  };
}

const CUTS: readonly [string, Record<string, string>, string][] = [
  ['with a length', { 'Content-Length': '100' }, 'half of it'],
  ['in chunks', {}, 'half of it'],
  ['an event stream', { 'Content-Type': 'text/event-stream' }, 'data: half of it'],
];

/** An answer that is cut after its first part. */
function cutRule([kind, headers, part]: (typeof CUTS)[number]): Rule {
  return {
    id: 'D5',
    title: `an answer that is cut in the middle is cut for the client too: ${kind}`,
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      a.answer = failWith(({ res }) => res.writeHead(200, headers).write(part));
      const asked = [`Mcp-Session-Id: ${id}`, 'MCP-Protocol-Version: 2025-11-25'];
      for (const cut of ['destroy', 'resetAndDestroy'] as const) {
        const connection = await rawConnection(gw.url);
        connection.write(rawRequest('POST /mcp', asked, TOOLS_LIST));
        await connection.until(part);
        a.hits.at(-1)?.req.socket[cut]();
        await connection.closed;
        expect(connection.text).not.toContain('\r\n0\r\n\r\n');
        expect(connection.text.match(/HTTP\/1\.1/g)).toHaveLength(1);
      }
    },
  };
}

export const backends: readonly Rule[] = [
  {
    id: 'D1',
    title: 'an opening request whose backend refuses the connection goes to the next one, whole',
    async run(env) {
      const { gw, backends } = await env.routed(3);
      const [a, b, c] = backends;
      await a?.refuse();
      await b?.refuse();
      const body = INITIALIZE.padEnd(300_000);
      const opened = await post(gw, body).expect(200);
      expect(c?.hits.map((hit) => hit.body.toString())).toEqual([body]);
      await call(gw, String(opened.get('Mcp-Session-Id'))).expect(200);
    },
  },
  {
    id: 'D1',
    title: 'while one of three backends is down, 60 clients at once can all open a session',
    async run(env) {
      const { gw, backends } = await env.routed(3);
      await backends[1]?.refuse();
      const ids = await Promise.all(Array.from({ length: 60 }, () => openSession(gw)));
      await Promise.all(ids.map((id) => call(gw, id).expect(200)));
      expect(hitsOf(backends)).toBe(120);
    },
  },
  {
    id: 'D1',
    title: 'a backend that has come back gets its own requests again',
    async run(env) {
      const { gw, a, b } = await env.routed(2, {
        options: { balance: (candidates) => candidates[0] ?? '' },
      });
      await a.refuse();
      for (let count = 0; count < 3; count += 1) await initialize(gw).expect(200);
      await a.reopen();
      await until(() => gw.sessions.backends.list()[0]?.state === 'up');
      for (let count = 0; count < 3; count += 1) await initialize(gw).expect(200);
      expect([a.hits.length, b.hits.length]).toEqual([3, 3]);
    },
  },
  {
    id: 'D1',
    title: 'if all backends refuse, the client gets 503 and may try later',
    async run(env) {
      const { gw, backends } = await env.routed(3);
      for (const backend of backends) await backend.refuse();
      expectRefusal(await initialize(gw), 'no_backend');
      expectRefusal(await post(gw, TOOLS_LIST), 'no_backend');
      await backends[2]?.reopen();
      await initialize(gw).expect(200);
    },
  },
  {
    id: 'D2',
    title:
      'a pinned request whose backend refuses the connection is 404 at once, and the session is over',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const id = await openSession(gw);
      await a.refuse();
      expectRefusal(await call(gw, id), 'session_lost');
      await a.reopen();
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expect([a.hits.length, b.hits.length]).toEqual([1, 0]);
    },
  },
  {
    id: 'D2',
    title: 'so is a GET, and sessions of other backends see nothing of it',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const id = await openSession(gw);
      const other = await openSession(gw);
      await a.refuse();
      expectRefusal(await request(gw.url).get('/mcp').set(ofSession(id)), 'session_lost');
      await call(gw, other).expect(200);
      expect(b.hits).toHaveLength(2);
    },
  },
  {
    id: 'D2',
    title: 'the 404 does not wait for the rest of the body, and the connection is not used again',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      await a.refuse();
      const headers = [`Mcp-Session-Id: ${id}`, 'MCP-Protocol-Version: 2025-11-25'];
      const half = rawRequest(
        'POST /mcp',
        [...headers, 'Content-Length: 9000000'],
        'x'.repeat(1000),
      );
      const raw = parseRaw(await rawHttp(gw.url, half));
      const given = Object.fromEntries(raw.headers);
      expectRefusal({ status: raw.status, text: raw.body, headers: given }, 'session_lost');
      expect(given['connection']).toBe('close');
    },
  },
  {
    id: 'D2',
    title: 'if another gateway has moved the session meanwhile, the request goes to the new place',
    async run(env) {
      const store = scriptedStore();
      const { gw, a, b } = await env.routed(2, { store });
      const id = await openSession(gw);
      await a.refuse();
      b.sessions.add(id);
      store.put(id, { ...store.recordOf(id), version: 2, backend_url: b.origin });
      await call(gw, id, 'after the move').expect(200, /b: after the move/);
      await call(gw, id).expect(200);
      expect(store.recordOf(id)).not.toHaveProperty('ended');
    },
  },
  {
    id: 'D2',
    title: 'the session is not given up while the store cannot be asked',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store });
      const id = await openSession(gw);
      await a.refuse();
      store.fault = 'reject';
      expectRefusal(await call(gw, id), 'store_unavailable');
      store.fault = undefined;
      await a.reopen();
      await call(gw, id).expect(200);
    },
  },
  {
    id: 'D3',
    title: 'a backend that does not accept the connection in 2 s is 503, and the pin is kept',
    async run(env) {
      const store = scriptedStore();
      const [hole, { gw: first, a }] = await Promise.all([blackHole(), env.routed(1, { store })]);
      const id = await openSession(first);
      const here = store.recordOf(id);
      store.put(id, { ...here, backend_url: hole });
      const options = { backends: [a.origin, hole], cache: false } as const;
      const gw = await env.gateway({ store, options });
      const before = performance.now();
      const answers = await Promise.all([
        call(gw, id),
        request(gw.url).get('/mcp').set(ofSession(id)),
      ]);
      expect(performance.now() - before).toBeGreaterThan(1900);
      for (const answer of answers) expectRefusal(answer, 'backend_unreachable');
      expect(store.recordOf(id)).toEqual({ ...here, backend_url: hole });
      expect(a.hits).toHaveLength(1);
    },
  },
  {
    id: 'D3',
    title: 'a backend whose network cannot be reached is 503, and the pin is kept',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store, options: { cache: false } });
      const id = await openSession(gw);
      const here = store.recordOf(id);
      // No connection to a broadcast address is ever tried.
      const nowhere = 'http://255.255.255.255:8080';
      store.put(id, { ...here, backend_url: nowhere });
      const options = { backends: [a.origin, nowhere], cache: false } as const;
      const later = await env.gateway({ store, options });
      expectRefusal(await call(later, id), 'backend_unreachable');
      store.put(id, here);
      await call(later, id).expect(200);
    },
  },
  {
    id: 'D3',
    title: 'a backend that has been out for lostAfter has lost its sessions: 404',
    async run(env) {
      const store = scriptedStore();
      const nowhere = 'http://255.255.255.255:8080';
      const { gw: first } = await env.routed(1, { store });
      const id = await openSession(first);
      store.put(id, { ...store.recordOf(id), backend_url: nowhere });
      const options = { backends: nowhere, lostAfter: 100, cache: false } as const;
      const gw = await env.gateway({ store, options });
      const since = performance.now();
      expectRefusal(await call(gw, id), 'backend_unreachable');
      let answer = await call(gw, id);
      while (answer.status === 503) answer = await call(gw, id);
      expect(performance.now() - since).toBeGreaterThan(99);
      expectRefusal(answer, 'session_lost');
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'D3',
    title: 'a connection that is made in between starts that time anew',
    async run(env) {
      const store = scriptedStore();
      const { gw: first, a } = await env.routed(1, { store });
      const id = await openSession(first);
      const nowhere = 'http://255.255.255.255:8080';
      const options = { backends: [a.origin, nowhere], lostAfter: 1, cache: false } as const;
      const gw = await env.gateway({ store, options });
      await call(gw, id).expect(200);
      store.put(id, { ...store.recordOf(id), backend_url: nowhere });
      expectRefusal(await call(gw, id), 'backend_unreachable');
    },
  },
  {
    id: 'C3',
    title: 'a DELETE whose backend does not accept the connection is 204, and the session is over',
    async run(env) {
      const store = scriptedStore();
      const [hole, { gw: first, a }] = await Promise.all([blackHole(), env.routed(1, { store })]);
      const id = await openSession(first);
      store.put(id, { ...store.recordOf(id), backend_url: hole });
      const options = { backends: [a.origin, hole], cache: false } as const;
      const gw = await env.gateway({ store, options });
      await terminate(gw, id).expect(204, '');
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expect(a.hits).toHaveLength(1);
    },
  },
  {
    id: 'D4',
    title: 'a request whose backend breaks off is 502, was executed once, and the pin is kept',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const id = await openSession(gw);
      const failures: ((hit: Parameters<Answer>[0]) => unknown)[] = [
        ({ req }) => req.socket.resetAndDestroy(),
        ({ req }) => req.socket.end(),
        ({ req }) => req.socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
        ({ req }) => req.socket.end('nonsense\r\n\r\n'),
      ];
      for (const fail of failures) {
        const before = a.hits.length;
        a.answer = failWith(fail);
        expectRefusal(await call(gw, id), 'upstream_failed');
        expect(a.hits).toHaveLength(before + 1);
        a.answer = undefined;
        await call(gw, id).expect(200);
      }
      expect(b.hits).toEqual([]);
    },
  },
  {
    id: 'D4',
    title: 'an opening request whose backend breaks off is 502 and is not sent to another',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      a.answer = ({ req }) => req.socket.resetAndDestroy();
      expectRefusal(await initialize(gw), 'upstream_failed');
      expect([a.hits.length, b.hits.length]).toEqual([1, 0]);
    },
  },
  {
    id: 'D4',
    title: 'a request that is broken off while its body is on the way is 502 and is not sent again',
    async run(env) {
      const early = await scriptedBackend(undefined, { early: true });
      const gw = await env.gateway({ options: { backends: early.origin } });
      const id = await openSession(gw);
      early.answer = failWith(({ req }) => req.socket.resetAndDestroy());
      const connection = await rawConnection(gw.url);
      const headers = [`Mcp-Session-Id: ${id}`, 'MCP-Protocol-Version: 2025-11-25'];
      connection.write(rawRequest('POST /mcp', [...headers, 'Content-Length: 99999'], 'x'));
      await connection.until('"reason":"upstream_failed"');
      expect(early.hits).toHaveLength(2);
      expect(await connection.closed).toBe('end');
    },
  },
  ...CUTS.map(cutRule),
  {
    id: 'D5',
    title: 'a GET stream that is cut is broken off, not ended',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      const stream = await openStream(gw, id);
      a.reset();
      expect(await stream.closed).toBe('broken');
      await call(gw, id).expect(200);
    },
  },
  {
    id: 'D8',
    title: 'a session whose backend is not in the list any more is over, and goes nowhere else',
    async run(env) {
      const store = scriptedStore();
      const { gw, a, b } = await env.routed(2, { store });
      const id = await openSession(gw);
      const target = await scriptedBackend();
      const later = await env.gateway({
        store,
        options: { backends: b.origin },
        proxyOptions: { target: target.origin },
      });
      expectRefusal(await call(later, id), 'session_ended', { id: '2' });
      expect(store.recordOf(id)).toHaveProperty('ended');
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
      expect([a.hits.length, b.hits, target.hits]).toEqual([1, [], []]);
    },
  },
  {
    id: 'D8',
    title: 'a record without a usable backend_url goes nowhere where there is a list',
    async run(env) {
      const store = scriptedStore();
      const target = await scriptedBackend();
      const { gw, a } = await env.routed(1, {
        store,
        options: { cache: false },
        proxyOptions: { target: target.origin },
      });
      for (const backendUrl of [undefined, '', '/mcp', 'mcp-0:8080', 'ftp://mcp-0', 7, null]) {
        const id = await openSession(gw);
        store.put(id, { ...store.recordOf(id), backend_url: backendUrl });
        const { length } = a.hits;
        await call(gw, id).expect(404, /"code":-32001,.*"reason":"session_ended"/);
        expect([a.hits.length, target.hits]).toEqual([length, []]);
      }
    },
  },
  {
    id: 'D8',
    title: 'nor does one whose backend_url only looks like one of the list',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store, options: { cache: false } });
      const port = String(a.port);
      for (const url of [
        `http://localhost:${port}`,
        `https://127.0.0.1:${port}`,
        `http://127.0.0.1:${port}1`,
        `http://evil.example/#127.0.0.1:${port}`,
        `http://127.0.0.1:${port}@evil.example`,
      ]) {
        const id = await openSession(gw);
        store.put(id, { ...store.recordOf(id), backend_url: url });
        const { length } = a.hits;
        await call(gw, id).expect(404, /"code":-32001,.*"reason":"session_ended"/);
        expect(a.hits).toHaveLength(length);
      }
    },
  },
  {
    id: 'D9',
    title: 'without backends, opening requests go to the target, and that origin is recorded',
    async run(env) {
      const store = scriptedStore();
      const target = await scriptedBackend();
      const first = await env.gateway({ store, proxyOptions: { target: `${target.origin}/` } });
      const id = await openSession(first);
      expect(store.recordOf(id)?.['backend_url']).toBe(target.origin);
      const elsewhere = await scriptedBackend();
      const gw = await env.gateway({ store, proxyOptions: { target: elsewhere.origin } });
      await call(gw, id).expect(200);
      expect([target.hits.length, elsewhere.hits]).toEqual([2, []]);
    },
  },
  {
    id: 'D9',
    title: "the user's own router chooses for opening requests and is never asked for a pinned one",
    only: 'http-proxy-middleware',
    async run(env) {
      const store = scriptedStore();
      const target = await scriptedBackend();
      const { a, b } = await env.routed(2);
      const asked: string[] = [];
      const router = (req: { headers: Record<string, string | undefined> }) => {
        asked.push(req.headers['x-tenant'] ?? 'none');
        return Promise.resolve(req.headers['x-tenant'] === 'blue' ? b.origin : a.origin);
      };
      const proxyOptions = { target: target.origin, router };
      const gw = await env.gateway({ store, proxyOptions });
      const red = String((await initialize(gw, { 'X-Tenant': 'red' })).get('Mcp-Session-Id'));
      const blue = String((await initialize(gw, { 'X-Tenant': 'blue' })).get('Mcp-Session-Id'));
      for (const id of [red, blue, red]) await call(gw, id).expect(200);
      expect(asked).toEqual(['red', 'blue']);
      expect([a.hits.length, b.hits.length, target.hits.length]).toEqual([3, 2, 0]);
      expect(store.recordOf(blue)?.['backend_url']).toBe(b.origin);
    },
  },
  {
    id: 'D9',
    title: 'so does a router that is a table of hosts and paths',
    only: 'http-proxy-middleware',
    async run(env) {
      const target = await scriptedBackend();
      const { a, b } = await env.routed(2);
      const router = { 'blue.example': a.origin, 'red.example/mcp': b.origin, '/other': b.origin };
      const gw = await env.gateway({ proxyOptions: { target: target.origin, router } });
      const open = async (host: string, path: string): Promise<string> => {
        const answer = await initialize(gw, { Host: host }, path).expect(200);
        return String(answer.get('Mcp-Session-Id'));
      };
      const ids = [
        await open('blue.example', '/mcp'),
        await open('red.example', '/mcp/x'),
        await open('any.example', '/other'),
        await open('red.example', '/elsewhere'),
      ];
      expect([a.hits.length, b.hits.length, target.hits.length]).toEqual([1, 2, 1]);
      for (const id of ids) await call(gw, id).expect(200);
      expect([a.hits.length, b.hits.length, target.hits.length]).toEqual([2, 4, 2]);
    },
  },
  {
    id: 'D9',
    title: 'a record without a usable backend_url goes to the target, also past a router',
    only: 'http-proxy-middleware',
    async run(env) {
      const store = scriptedStore();
      const target = await scriptedBackend();
      const { a } = await env.routed(1);
      const proxyOptions = { target: target.origin, router: () => a.origin };
      const gw = await env.gateway({ store, options: { cache: false }, proxyOptions });
      const id = await openSession(gw);
      target.sessions.add(id);
      for (const backendUrl of [undefined, '', '/mcp', 'mcp-0:8080', 'file:///etc/passwd', 7]) {
        store.put(id, { ...store.recordOf(id), backend_url: backendUrl });
        await call(gw, id).expect(200);
      }
      expect([a.hits.length, target.hits.length]).toEqual([1, 6]);
    },
  },
  {
    id: 'D9',
    title: 'an absolute URL that an operator has put into the record is honoured',
    async run(env) {
      const store = scriptedStore();
      const target = await scriptedBackend();
      const { a } = await env.routed(1);
      const options = { cache: false } as const;
      const gw = await env.gateway({ store, options, proxyOptions: { target: target.origin } });
      const id = await openSession(gw);
      a.sessions.add(id);
      store.put(id, { ...store.recordOf(id), backend_url: a.origin });
      await call(gw, id).expect(200);
      expect([target.hits.length, a.hits.length]).toEqual([1, 1]);
    },
  },
  {
    id: 'D9',
    title:
      'a target that refuses the connection is 503 for an opening request, and 404 for a session',
    async run(env) {
      const target = await scriptedBackend();
      const gw = await env.gateway({ proxyOptions: { target: target.origin } });
      const id = await openSession(gw);
      await target.refuse();
      expectRefusal(await initialize(gw), 'no_backend');
      expectRefusal(await call(gw, id), 'session_lost');
      const nowhere = await env.gateway({ proxyOptions: { target: await closedPort() } });
      expectRefusal(await initialize(nowhere), 'no_backend');
    },
  },
  {
    id: 'D11',
    title: 'a redirect of a backend is passed on, not followed',
    async run(env) {
      const { gw, a, b } = await env.routed(2);
      const id = await openSession(gw);
      for (const status of [301, 302, 303, 307, 308]) {
        a.answer = ({ res }) => res.writeHead(status, { Location: `${b.url}?x=1` }).end('moved');
        const answer = await call(gw, id).redirects(0).expect(status, 'moved');
        expect(answer.headers['location']).toBe(`${b.url}?x=1`);
      }
      expect(b.hits).toEqual([]);
      a.answer = undefined;
      await call(gw, id).expect(200);
    },
  },
];
