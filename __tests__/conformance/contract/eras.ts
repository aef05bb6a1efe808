import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { expect } from '@jest/globals';
import request from 'supertest';
import { deferred } from '../../helpers/deferred.ts';
import {
  initialize,
  openSession,
  openSessions,
  post,
  TOOLS_LIST,
  type Addressed,
} from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import {
  scriptedBackends,
  type Answer,
  type Hit,
  type ScriptedBackend,
} from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import { until } from '../../helpers/until.ts';
import { hitsOf, type Rule } from './rule.ts';

const MODERN = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/list' } as const;

/** What a server says to a request of 2026-07-28. */
const SPEAK: Readonly<Record<'legacy' | 'modern' | 'both', Answer>> = {
  legacy: ({ headers, res }) => isModern(headers) && refuse(res, -32000),
  modern: ({ headers, body, res }) => {
    if (!isModern(headers)) return refuse(res, -32022);
    return body.includes('server/discover') && discovered(res, ['2026-07-28']);
  },
  both: ({ headers, body, res }) =>
    isModern(headers) &&
    body.includes('server/discover') &&
    discovered(res, ['2026-07-28', '2025-11-25']),
};

function isModern(headers: IncomingHttpHeaders): boolean {
  return headers['mcp-protocol-version'] === '2026-07-28';
}

function refuse(res: ServerResponse, code: number): unknown {
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code, message: 'no' } });
  return res.writeHead(400, { 'Content-Type': 'application/json' }).end(body);
}

function discovered(res: ServerResponse, supportedVersions: readonly string[]): unknown {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'era', result: { supportedVersions } });
  return res.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
}

/** Statuses of so many calls of a client of 2026-07-28. */
async function modernCalls(gw: Addressed, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let call = 0; call < count; call += 1) {
    statuses.push((await post(gw, TOOLS_LIST, MODERN)).status);
  }
  return statuses;
}

/** A question of the gateway itself. */
function isQuestion({ body }: Hit): boolean {
  return body.includes('"id":"era"');
}

/** A client that speaks both asks before it begins. */
function discover(gw: Addressed): ReturnType<typeof post> {
  const body = '{"jsonrpc":"2.0","id":1,"method":"server/discover"}';
  return post(gw, body, { ...MODERN, 'Mcp-Method': 'server/discover' });
}

/** Calls that have reached a backend, without the questions of the gateway. */
function callsOf({ hits }: ScriptedBackend): number {
  return hits.filter(({ body }) => body.includes('tools/list')).length;
}

export const eras: readonly Rule[] = [
  {
    id: 'E1',
    title: 'in a mixed fleet a client that asks first reaches servers of its era from then on',
    async run(env) {
      const { gw, backends } = await env.routed(3);
      const [a, b, c] = backends as [ScriptedBackend, ScriptedBackend, ScriptedBackend];
      a.answer = SPEAK.legacy;
      b.answer = SPEAK.both;
      c.answer = SPEAK.modern;
      await discover(gw).expect(200);
      expect(new Set(await modernCalls(gw, 8))).toEqual(new Set([200]));
      expect(backends.map(callsOf)).toEqual([0, 4, 4]);
      const opened: number[] = [];
      for (let count = 0; count < 5; count += 1) opened.push((await initialize(gw)).status);
      expect(opened).toEqual([200, 400, 200, 200, 200]);
      expect(backends.map(({ sessions }) => sessions.size)).toEqual([2, 2, 0]);
    },
  },
  {
    id: 'E1',
    title: 'clients that do not ask first are balanced over servers that have not told, unasked',
    async run(env) {
      const { gw, backends } = await env.routed(2);
      expect(await modernCalls(gw, 4)).toEqual([200, 200, 200, 200]);
      expect(backends.map(({ hits }) => hits.length)).toEqual([2, 2]);
    },
  },
  {
    id: 'E1',
    title: 'where no server speaks 2026-07-28 the refusal of one tells the client to initialize',
    async run(env) {
      const { gw, backends } = await env.routed(2);
      for (const backend of backends) backend.answer = SPEAK.legacy;
      expect(await modernCalls(gw, 3)).toEqual([400, 400, 400]);
      await openSessions(gw, 2);
      expect(backends.map(({ sessions }) => sessions.size)).toEqual([1, 1]);
    },
  },
  {
    id: 'E1',
    title:
      'a server that has learned 2026-07-28 gets its calls after eraTtl, and no client is refused',
    async run(env) {
      const { gw, backends } = await env.routed(2, { options: { eraTtl: 50 } });
      const [a, b] = backends as [ScriptedBackend, ScriptedBackend];
      a.answer = SPEAK.both;
      b.answer = SPEAK.legacy;
      await discover(gw).expect(200);
      await until(async () => {
        expect(await modernCalls(gw, 1)).toEqual([200]);
        return b.hits.filter(isQuestion).length > 1;
      });
      expect(callsOf(b)).toBe(0);
      b.answer = SPEAK.both;
      await until(async () => {
        expect(await modernCalls(gw, 1)).toEqual([200]);
        return callsOf(b) > 0;
      });
    },
  },
  {
    id: 'E1',
    title: 'a client that asks for nonsense changes nothing for others',
    async run(env) {
      const { gw, backends } = await env.routed(2);
      for (const backend of backends) backend.answer = SPEAK.both;
      await modernCalls(gw, 2);
      for (const backend of backends) {
        backend.answer = ({ body, res }) => body.includes('nonsense') && refuse(res, -32602);
      }
      await post(gw, '{"id":1,"method":"nonsense"}', MODERN).expect(400);
      const before = backends.map(callsOf);
      await modernCalls(gw, 4);
      expect(backends.map((backend, at) => callsOf(backend) - (before[at] ?? 0))).toEqual([2, 2]);
    },
  },
  {
    id: 'E1',
    title:
      'a server that is asked gets no call, while another may take it, until it has told its era',
    async run(env) {
      const [a, b] = (await scriptedBackends(2)) as [ScriptedBackend, ScriptedBackend];
      const listed = [a.origin];
      const gw = await env.gateway({ options: { backends: { list: () => listed, refresh: 10 } } });
      await gw.sessions.ready();
      a.answer = SPEAK.both;
      expect(await modernCalls(gw, 1)).toEqual([200]);
      const told = deferred();
      b.answer = async (hit, backend) => {
        if (isQuestion(hit)) await told.promise;
        return SPEAK.both(hit, backend);
      };
      listed.push(b.origin);
      await until(async () => (await discover(gw)) && b.hits.some(isQuestion));
      await modernCalls(gw, 2);
      expect(callsOf(b)).toBe(0);
      told.resolve();
      await until(async () => (await modernCalls(gw, 1)) && callsOf(b) > 0);
    },
  },
  {
    id: 'E1',
    title: 'a server that refuses initialize as one without sessions does gets no more of them',
    async run(env) {
      const { gw, b, backends } = await env.routed(2);
      b.answer = SPEAK.modern;
      const opened: number[] = [];
      for (let count = 0; count < 4; count += 1) opened.push((await initialize(gw)).status);
      expect(opened).toEqual([200, 400, 200, 200]);
      expect(backends.map(({ sessions }) => sessions.size)).toEqual([3, 0]);
    },
  },
  {
    id: 'E1',
    title: 'what the operator says of a server is not to be found out',
    async run(env) {
      const [a, b] = (await scriptedBackends(2)) as [ScriptedBackend, ScriptedBackend];
      [a.answer, b.answer] = [SPEAK.legacy, SPEAK.modern];
      const backends = [
        { url: a.origin, era: 'legacy' },
        { url: b.origin, era: 'modern' },
      ] as const;
      const gw = await env.gateway({ options: { backends } });
      expect(await modernCalls(gw, 2)).toEqual([200, 200]);
      await openSessions(gw, 2);
      expect([a.hits.length, b.hits.length]).toEqual([2, 2]);
    },
  },
  {
    id: 'E1',
    title: 'the question to a server carries the credentials of the client, and no session',
    async run(env) {
      const { gw, a } = await env.routed(2, { options: { eraTtl: 1 } });
      a.answer = SPEAK.legacy;
      const ids = { Authorization: 'Bearer x', 'Mcp-Session-Id': 'x', 'Mcp-Name': 'tool' };
      await until(async () => {
        await post(gw, TOOLS_LIST, { ...MODERN, ...ids });
        return a.hits.some(isQuestion);
      });
      const question = a.hits.find(isQuestion);
      expect(question?.url).toBe('/mcp');
      expect(question?.headers).toMatchObject({
        authorization: 'Bearer x',
        'mcp-method': 'server/discover',
        'mcp-protocol-version': '2026-07-28',
      });
      for (const name of ['mcp-session-id', 'mcp-name']) {
        expect(question?.headers).not.toHaveProperty(name);
      }
    },
  },
  {
    id: 'E1',
    title: 'a request of 2026-07-28 is balanced on its own, whatever ids it carries',
    async run(env) {
      const store = scriptedStore();
      const { gw, a, b, backends } = await env.routed(2, { store });
      const id = await openSession(gw);
      const asked = store.calls.length;
      for (const session of [undefined, id, 'never issued', '', 'not one']) {
        const ids = {
          'Last-Event-ID': '7',
          ...(session !== undefined && { 'Mcp-Session-Id': session }),
        };
        const before = backends.map(callsOf);
        for (let count = 0; count < 2; count += 1) {
          await post(gw, TOOLS_LIST, { ...MODERN, ...ids }).expect(200);
        }
        expect(backends.map(callsOf)).toEqual(before.map((calls) => calls + 1));
      }
      const sent = [...a.hits.slice(1), ...b.hits];
      expect(store.calls.length).toBe(asked);
      for (const { headers } of sent) {
        expect(headers).toMatchObject({ 'mcp-protocol-version': '2026-07-28' });
        expect(headers).not.toHaveProperty('mcp-session-id');
        expect(headers).not.toHaveProperty('last-event-id');
      }
    },
  },
  {
    id: 'E1',
    title: 'an id in its answer is removed, and nothing is recorded',
    async run(env) {
      const store = scriptedStore();
      const { gw, a } = await env.routed(1, { store });
      a.answer = ({ res }) => res.setHeader('Mcp-Session-Id', 'unasked') && res.end('{}');
      const answer = await post(gw, TOOLS_LIST, MODERN).expect(200);
      expect([answer.get('Mcp-Session-Id'), store.calls]).toEqual([undefined, []]);
    },
  },
  {
    id: 'E1',
    title: 'a later revision is one without sessions too, and its methods are not ours to judge',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const later = { 'MCP-Protocol-Version': '2027-01-01', 'Mcp-Session-Id': 'never issued' };
      await post(gw, TOOLS_LIST, later).expect(200);
      await request(gw.url).get('/mcp').set(later).expect(200);
      expect(a.hits).toHaveLength(2);
    },
  },
  {
    id: 'E1',
    title: 'a refusal of a backend is passed on as it is: it tells the client which era to speak',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const body = '{"jsonrpc":"2.0","error":{"code":-32022,"message":"Unsupported"},"id":7}';
      a.answer = ({ res }) => res.writeHead(400, { 'Content-Type': 'application/json' }).end(body);
      await post(gw, TOOLS_LIST, MODERN).expect(400, body);
    },
  },
  {
    id: 'E2',
    title: 'GET and DELETE of 2026-07-28 are 405',
    async run(env) {
      const { gw, backends } = await env.routed(2);
      const id = await openSession(gw);
      for (const method of ['get', 'delete'] as const) {
        const asked = request(gw.url);
        const answer = await asked[method]('/mcp').set({ ...MODERN, 'Mcp-Session-Id': id });
        expectRefusal(answer, 'method_not_allowed');
        expect(answer.get('Allow')).toBe('POST');
      }
      expect(hitsOf(backends)).toBe(1);
    },
  },
  {
    id: 'A14',
    title: 'a GET of the app itself is not judged by its revision',
    async run(env) {
      const { gw } = await env.routed(1, {
        between: (app) => app.get('/page', (_req, res) => void res.end('local')),
      });
      await request(gw.url).get('/page').set(MODERN).expect(200, 'local');
    },
  },
];
