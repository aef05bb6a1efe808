import { expect } from '@jest/globals';
import { call, openSession, post, TOOLS_LIST } from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import type { Answer } from '../../helpers/scripted-backend.ts';
import type { Rule } from './rule.ts';

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';

/** Answers in bytes that node:http would not write. */
function raw(bytes: string): Answer {
  return ({ req }) => req.socket.write(bytes, 'latin1');
}

function reasonRule(type: string): Rule {
  return {
    id: 'G2',
    title: `a reason phrase that cannot be sent on ends no process: ${type}`,
    async run(env) {
      const { gw, a } = await env.routed(1, { options: { affinity: { tasks: true } } });
      a.answer = raw(
        `HTTP/1.1 200 O\x01K\r\nContent-Type: ${type}\r\nContent-Length: 9\r\n\r\ndata: 1\n\n`,
      );
      await post(gw, TOOLS_LIST).expect(200, 'data: 1\n\n');
      const modern = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call' };
      await post(gw, TOOLS_LIST, modern).expect(200, 'data: 1\n\n');
    },
  };
}

function statusRule(line: string): Rule {
  return {
    id: 'G2',
    title: `a status that is none of an answer ends no process: ${line}`,
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      a.answer = raw(`HTTP/1.1 ${line}\r\nContent-Length: 2\r\n\r\n{}`);
      expectRefusal(await call(gw, id), 'upstream_failed');
      a.answer = undefined;
      await call(gw, id).expect(200);
    },
  };
}

export const rawAnswers: readonly Rule[] = [
  ...['text/plain', 'text/event-stream'].map(reasonRule),
  ...['000 Nothing', '099 Little', '101 Switching Protocols'].map(statusRule),
  {
    id: 'D4',
    title: 'a backend that switches protocols, which nobody asked for, has broken off: 502',
    async run(env) {
      const { gw, a } = await env.routed(1);
      const id = await openSession(gw);
      a.answer = raw(SWITCHED);
      expectRefusal(await call(gw, id), 'upstream_failed');
      a.answer = undefined;
      await call(gw, id).expect(200);
      expect(a.hits).toHaveLength(3);
    },
  },
  {
    id: 'D2',
    title: 'recover: a backend that switches protocols in place of an answer takes no session',
    async run(env) {
      const { gw, a, b } = await env.routed(2, { options: { recover: true } });
      const id = await openSession(gw);
      await a.refuse();
      b.answer = raw(SWITCHED);
      expectRefusal(await call(gw, id), 'session_lost');
    },
  },
];
