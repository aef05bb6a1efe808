import { expect } from '@jest/globals';
import request from 'supertest';
import type { Gateway } from '../../helpers/gateway.ts';
import { initialize, post, TOOLS_LIST } from '../../helpers/mcp-client.ts';
import { expectRefusal, type ExpectedRefusal, type ROWS } from '../../helpers/refusal.ts';
import { scriptedBackend } from '../../helpers/scripted-backend.ts';
import { scriptedStore, type ScriptedStore } from '../../helpers/scripted-store.ts';
import type { Rule } from './rule.ts';

const MODERN = { 'MCP-Protocol-Version': '2026-07-28' } as const;
const MESSAGES = '/messages?sessionId=guess';

interface Case {
  readonly id: string;
  readonly what: string;
  readonly reason: keyof typeof ROWS;
  readonly repeats?: ExpectedRefusal;
  readonly ask: (gw: Gateway, store: ScriptedStore) => PromiseLike<request.Response>;
}

const CASES: readonly Case[] = [
  {
    id: 'E6',
    what: 'for a session of HTTP+SSE that nobody knows',
    reason: 'unknown_session',
    repeats: { id: '7' },
    ask: (gw) => post(gw, TOOLS_LIST, {}, MESSAGES),
  },
  {
    id: 'A9',
    what: 'for a session of HTTP+SSE while the store is down',
    reason: 'store_unavailable',
    repeats: { id: '7' },
    ask(gw, store) {
      store.fault = 'reject';
      return post(gw, TOOLS_LIST, {}, MESSAGES);
    },
  },
  {
    id: 'A9',
    what: 'for a task while the store is down',
    reason: 'store_unavailable',
    repeats: { id: '7' },
    ask(gw, store) {
      store.fault = 'reject';
      return post(gw, TOOLS_LIST, { ...MODERN, 'Mcp-Method': 'tasks/get', 'Mcp-Name': 'x' });
    },
  },
  {
    id: 'E2',
    what: 'for a GET of 2026-07-28',
    reason: 'method_not_allowed',
    ask: (gw) => request(gw.url).get('/mcp').set(MODERN),
  },
  {
    id: 'G4',
    what: 'for a new session while the gateway stops',
    reason: 'shutting_down',
    async ask(gw) {
      await gw.sessions.close({ drain: 1 });
      return initialize(gw);
    },
  },
];

function ruleOf({ id, what, reason, repeats, ask }: Case): Rule {
  return {
    id,
    title: `a router of the app is not asked ${what}`,
    only: 'http-proxy-middleware',
    async run(env) {
      const backend = await scriptedBackend();
      const store = scriptedStore();
      const gw = await env.gateway({
        store,
        options: { sse: true, affinity: { tasks: true } },
        proxyOptions: { router: () => backend.origin },
      });
      expectRefusal(await ask(gw, store), reason, repeats);
      expect(backend.hits).toEqual([]);
    },
  };
}

export const appRouter: readonly Rule[] = CASES.map(ruleOf);
