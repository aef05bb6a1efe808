import { expect } from '@jest/globals';
import request from 'supertest';
import { openSession, post, TOOLS_LIST } from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import { hitsOf, type Rule } from './rule.ts';

const MODERN = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/list' } as const;

export const eras: readonly Rule[] = [
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
        const before = hitsOf(backends);
        for (let count = 0; count < 2; count += 1) {
          await post(gw, TOOLS_LIST, { ...MODERN, ...ids }).expect(200);
        }
        expect(hitsOf(backends)).toBe(before + 2);
      }
      const sent = [...a.hits.slice(1), ...b.hits];
      expect([a.hits.length, b.hits.length, store.calls.length]).toEqual([6, 5, asked]);
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
