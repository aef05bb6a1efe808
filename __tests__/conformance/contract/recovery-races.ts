import { expect } from '@jest/globals';
import request from 'supertest';
import type { McpSessionRoutingOptions } from '../../../src/index.ts';
import { deferred } from '../../helpers/deferred.ts';
import {
  call,
  ofSession,
  openSession,
  openStream,
  post,
  terminate,
  TOOLS_LIST,
} from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { until } from '../../helpers/until.ts';
import type { Rule } from './rule.ts';

const RECOVER: McpSessionRoutingOptions = { recover: true };

function bodyRule(method: 'get' | 'put'): Rule {
  return {
    id: 'D2',
    title: `recover: a ${method.toUpperCase()} whose body was not kept is not sent again without it`,
    async run(env) {
      const { gw, a, b } = await env.routed(2, { options: RECOVER });
      const id = await openSession(gw);
      a.sessions.clear();
      const asked = request(gw.url)[method]('/mcp').set(ofSession(id));
      expectRefusal(await asked.send('hello'), 'backend_unreachable');
      expect(b.hits.map((hit) => hit.method)).not.toContain(method.toUpperCase());
      await call(gw, id).expect(200);
    },
  };
}

export const recoveryRaces: readonly Rule[] = [
  ...(['get', 'put'] as const).map(bodyRule),
  {
    id: 'C1',
    title: 'recover: a session that goes on elsewhere while its DELETE is on its way is over too',
    async run(env) {
      const { gw, a } = await env.routed(2, { options: RECOVER });
      const id = await openSession(gw);
      const goOn = deferred();
      a.answer = async ({ method }) => {
        if (method === 'DELETE') await goOn.promise;
        return false;
      };
      const deleted = terminate(gw, id).then(({ status }) => status);
      await a.hitWhere(({ method }) => method === 'DELETE');
      a.sessions.clear();
      await call(gw, id).expect(200);
      goOn.resolve();
      expect(await deleted).toBe(404);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
  {
    id: 'D2',
    title: 'recover: the new backend is asked where the old one was, path and query',
    async run(env) {
      const { gw, a, b } = await env.routed(2, {
        options: RECOVER,
        mount: (app, proxy) => app.use('/gateway', proxy),
      });
      const id = await openSession(gw, '/gateway/mcp?tenant=x');
      await a.refuse();
      await post(gw, TOOLS_LIST, ofSession(id), '/gateway/mcp?tenant=y').expect(200);
      // The forwarder sends on what the client has sent, wherever it is mounted.
      const path = env.proxy === 'forward' ? '/gateway/mcp' : '/mcp';
      const asked = b.hits.map(({ url }) => url);
      expect(asked).toEqual([...['x', 'x', 'y'].map((tenant) => `${path}?tenant=${tenant}`)]);
    },
  },
  {
    id: 'D2',
    title: 'recover: a new backend may write its result in parts, on a stream that stays open',
    async run(env) {
      const { gw, a, b } = await env.routed(2, { options: RECOVER });
      const id = await openSession(gw);
      await a.refuse();
      b.answer = async ({ headers, res }) => {
        if (headers['mcp-session-id'] !== undefined) return false;
        b.sessions.add('b-1');
        res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Mcp-Session-Id': 'b-1' });
        for (const part of ['id: 1\nda', 'ta: \n\n', 'data:', ' ', '{"result":{}}\n\n']) {
          res.write(part);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        return true;
      };
      await call(gw, id).expect(200);
    },
  },
  {
    id: 'D2',
    title: 'recover: a stream that goes on elsewhere counts there, and ends with that backend',
    async run(env) {
      let list: string[] = [];
      const { gw, a, b } = await env.routed(2, {
        options: { ...RECOVER, backends: { list: () => list, refresh: 20 } },
      });
      list = [a.origin, b.origin];
      await until(() => gw.sessions.backends.list().length === 2);
      const id = await openSession(gw);
      const [owner, other] = a.sessions.has(id) ? [a, b] : [b, a];
      owner.sessions.clear();
      const stream = await openStream(gw, id);
      const counts = gw.sessions.backends.list().map(({ url, streams }) => [url, streams]);
      expect(Object.fromEntries(counts)).toEqual({ [owner.origin]: 0, [other.origin]: 1 });
      list = [owner.origin];
      expect(await stream.closed).toBe('broken');
    },
  },
];
