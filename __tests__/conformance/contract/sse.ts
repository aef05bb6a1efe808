import { expect } from '@jest/globals';
import request from 'supertest';
import { MemoryStore, type McpSessionRoutingOptions } from '../../../src/index.ts';
import type { GatewayOptions } from '../../helpers/gateway.ts';
import {
  INITIALIZE,
  ofSession,
  openSession,
  openStream,
  post,
  TOOLS_LIST,
  type Addressed,
  type OpenStream,
} from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import {
  idIn,
  sseBackend,
  ENDPOINTS,
  type EndpointKind,
  type SseBackend,
} from '../../helpers/sse-backend.ts';
import { until } from '../../helpers/until.ts';
import type { Env, Rule } from './rule.ts';

const KINDS = Object.keys(ENDPOINTS) as EndpointKind[];

interface Fleet {
  readonly a: SseBackend;
  readonly b: SseBackend;
  /** A gateway on the same store, in front of both. */
  readonly gateway: () => ReturnType<Env['gateway']>;
}

async function fleet(
  env: Env,
  kind: EndpointKind = 'TypeScript',
  options: McpSessionRoutingOptions = {},
  more: GatewayOptions = {},
): Promise<Fleet> {
  const [a, b] = [await sseBackend(kind, 'a'), await sseBackend(kind, 'b')];
  const store = more.store ?? new MemoryStore();
  const backends = [a.origin, b.origin];
  const gateway: Fleet['gateway'] = () =>
    env.gateway({ ...more, store, options: { sse: true, backends, ...options } });
  return { a, b, gateway };
}

/** Where the client is told to POST. */
async function endpointOf(stream: OpenStream): Promise<string> {
  const event = /event: endpoint\r?\ndata: ?([^\r\n]*)\r?\n/;
  await until(() => event.test(stream.text));
  return event.exec(stream.text)?.[1] ?? '';
}

/** A GET stream, without a session id. */
function listen(at: Addressed, path = '/sse'): Promise<OpenStream> {
  return openStream(at, undefined, path);
}

function kindRule(kind: EndpointKind): Rule {
  return {
    id: 'E5',
    title: `a session whose endpoint is as of ${kind} is pinned, whichever gateway its POSTs reach`,
    async run(env) {
      const { a, b, gateway } = await fleet(env, kind);
      const [one, other] = [await gateway(), await gateway()];
      for (const [backend, gw] of [
        [a, one],
        [b, one],
        [a, other],
      ] as const) {
        const stream = await listen(gw);
        const endpoint = await endpointOf(stream);
        for (const [at, body] of [
          [other, INITIALIZE],
          [one, TOOLS_LIST],
        ] as const) {
          await post(at, body, {}, endpoint).expect(202, 'Accepted');
        }
        await until(() => stream.text.includes('"id":7'));
        expect(stream.text).toContain(`"result":{"backend":"${backend.name}"}`);
      }
      expect([a.hits.length, b.hits.length]).toEqual([6, 3]);
    },
  };
}

export const sse: readonly Rule[] = [
  ...KINDS.map(kindRule),
  {
    id: 'E5',
    title: 'the client sees the event only after the session is stored, and 503 if it cannot be',
    async run(env) {
      const store = scriptedStore();
      const { a, gateway } = await fleet(env, 'TypeScript', {}, { store });
      const gw = await gateway();
      store.fault = { create: 'reject' };
      expectRefusal(
        await request(gw.url).get('/sse').set('Accept', 'text/event-stream'),
        'store_unavailable',
      );
      await until(() => a.streams.size === 0);
      store.fault = undefined;
      const stream = await listen(gw);
      const created = store.verbs().filter((verb) => verb === 'create').length;
      expect([stream.status, created]).toEqual([200, 2]);
    },
  },
  {
    id: 'E5',
    title: 'the URL leads to where the gateway has mounted the backend, and nowhere else',
    only: 'http-proxy-middleware',
    async run(env) {
      const { a, gateway } = await fleet(
        env,
        'an absolute URL',
        {},
        { mount: (app, proxy) => app.use('/gw', proxy) },
      );
      const gw = await gateway();
      const stream = await listen(gw, '/gw/sse');
      const endpoint = await endpointOf(stream);
      expect(endpoint).toMatch(/^\/gw\/messages\?sessionId=a-/);
      expect(stream.text).not.toContain(String(a.port));
      await post(gw, TOOLS_LIST, {}, endpoint).expect(202);
      expect(a.hits.at(-1)?.url).toBe(endpoint.replace('/gw', ''));
    },
  },
  {
    id: 'E5',
    title: 'with the stream the session ends, on all gateways',
    async run(env) {
      const { a, b, gateway } = await fleet(env);
      const [one, other] = [await gateway(), await gateway()];
      const stream = await listen(one);
      const endpoint = await endpointOf(stream);
      expect(one.sessions.stats().streams).toBe(1);
      stream.close();
      await until(() => one.sessions.stats().ended === 1);
      await until(async () => (await post(other, TOOLS_LIST, {}, endpoint)).status === 404);
      expectRefusal(await post(one, TOOLS_LIST, {}, endpoint), 'session_ended', { id: '7' });
      await until(() => a.streams.size === 0);
      expect([one.sessions.stats().streams, b.hits]).toEqual([0, []]);
    },
  },
  {
    id: 'E5',
    title: 'the session of a backend that dies is over, and its stream is broken off',
    async run(env) {
      const { a, gateway } = await fleet(env);
      const gw = await gateway();
      const stream = await listen(gw);
      const endpoint = await endpointOf(stream);
      await a.refuse();
      expect(await stream.closed).toBe('broken');
      await until(async () => (await post(gw, TOOLS_LIST, {}, endpoint)).status === 404);
      expect(await endpointOf(await listen(gw))).toContain('b-');
    },
  },
  {
    id: 'E5',
    title: 'streams that begin with anything else pass as they are',
    async run(env) {
      const { a, gateway } = await fleet(env, 'TypeScript', { balance: (all) => all[0] ?? '' });
      const gw = await gateway();
      const streams = [
        'data: {"jsonrpc":"2.0"}\n\n',
        'event: endpoint\ndata: /messages\n\n',
        'event: endpoint\ndata: /messages?sess\ndata: ionId=1\n\n',
        ': nothing but comments\n\n',
      ];
      for (const text of streams) {
        a.answer = ({ res }) => {
          res.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(text);
        };
        const answer = request(gw.url).get('/sse').set('Accept', 'text/event-stream');
        await answer.expect(200, text);
      }
      expect(gw.sessions.stats().opened).toBe(0);
    },
  },
  {
    id: 'E5',
    title: 'what stands around the URL stays byte for byte, however the stream comes in parts',
    async run(env) {
      const { a, gateway } = await fleet(env, 'TypeScript', { balance: (all) => all[0] ?? '' });
      const gw = await gateway();
      const before = ': grüße\r\n\r\nretry: 5\r\n\r\nid: 1\r\nevent: endpoint\r\ndata: ';
      const after = '\r\n\r\nevent: message\r\ndata: {"ü":1}\r\n\r\n';
      a.answer = ({ res }) => {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' });
        for (const byte of Buffer.from(`${before}http://x/messages?sessionId=y${after}`)) {
          res.write(Buffer.from([byte]));
        }
        res.end();
      };
      const answer = request(gw.url).get('/sse').set('Accept', 'text/event-stream');
      await answer.expect(200, `${before}/messages?sessionId=y${after}`);
    },
  },
  {
    id: 'E6',
    title: 'a POST with an id that was never issued goes nowhere',
    async run(env) {
      const { a, b, gateway } = await fleet(env);
      const gw = await gateway();
      const unknown = await post(gw, TOOLS_LIST, {}, '/messages?sessionId=guess');
      expectRefusal(unknown, 'unknown_session', { id: '7' });
      const python = await post(gw, INITIALIZE, {}, '/messages/?session_id=guess');
      expectRefusal(python, 'unknown_session', { id: '1' });
      for (const query of ['sessionId=', 'sessionId=a%20b', 'sessionId=a&sessionId=a']) {
        const answer = await post(gw, TOOLS_LIST, {}, `/messages?${query}`);
        expectRefusal(answer, 'invalid_session_id', { id: '7' });
      }
      expect([a.hits, b.hits]).toEqual([[], []]);
    },
  },
  {
    id: 'E6',
    title: 'an id of one transport is none of the other',
    async run(env) {
      const { a, gateway } = await fleet(env);
      const gw = await gateway();
      const id = idIn(await endpointOf(await listen(gw)));
      expectRefusal(await post(gw, TOOLS_LIST, ofSession(id)), 'unknown_session', { id: '7' });
      const streamable = await env.routed(1, { options: { sse: true } });
      const session = await openSession(streamable.gw);
      const path = `/messages?sessionId=${session}`;
      expectRefusal(await post(streamable.gw, TOOLS_LIST, {}, path), 'unknown_session', {
        id: '7',
      });
      expect([a.hits.length, streamable.a.hits.length]).toEqual([1, 1]);
    },
  },
  {
    id: 'A12',
    title: 'without the option the query is no key, and streams are left alone',
    async run(env) {
      const { a, gateway } = await fleet(env, 'an absolute URL', {
        sse: false,
        balance: (all) => all[0] ?? '',
      });
      const gw = await gateway();
      expect(await endpointOf(await listen(gw))).toContain(`${a.origin}/messages`);
      await post(gw, TOOLS_LIST, {}, '/messages?sessionId=guess').expect(
        404,
        'Could not find session',
      );
    },
  },
  {
    id: 'A14',
    title: 'with sse, at the root, requests and streams of the app itself are untouched',
    async run(env) {
      const { gateway } = await fleet(
        env,
        'TypeScript',
        {},
        {
          between(app) {
            app.post('/login', (_req, res) => void res.end('local'));
            app.get('/events', (_req, res) => {
              res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
            });
          },
        },
      );
      const gw = await gateway();
      await request(gw.url).post('/login?sessionId=guess').send('x').expect(200, 'local');
      expect((await listen(gw, '/events')).status).toBe(200);
    },
  },
  {
    id: 'C6',
    title: 'a session of HTTP+SSE that is ended by hand is over, and its stream is closed',
    async run(env) {
      const { gateway } = await fleet(env);
      const [one, other] = [await gateway(), await gateway()];
      const stream = await listen(one);
      const endpoint = await endpointOf(stream);
      expect(await other.sessions.end(idIn(endpoint))).toBe(true);
      expectRefusal(await post(other, TOOLS_LIST, {}, endpoint), 'session_ended', { id: '7' });
      expect(await one.sessions.end(idIn(endpoint))).toBe(false);
    },
  },
  {
    id: 'G1',
    title: 'with sse too, logs and events hold no id',
    async run(env) {
      const lines: string[] = [];
      const note = (what: unknown): void => void lines.push(JSON.stringify(what));
      const logger = { info: note, warn: note, error: note };
      const on = { opened: note, ended: note, refused: note };
      const { gateway } = await fleet(env, 'TypeScript', { logger, on });
      const gw = await gateway();
      const stream = await listen(gw);
      const id = idIn(await endpointOf(stream));
      await post(gw, TOOLS_LIST, {}, '/messages?sessionId=guess');
      stream.close();
      await until(() => lines.some((line) => line.includes('ended')));
      expect(lines.filter((line) => line.includes(id) || line.includes('guess'))).toEqual([]);
    },
  },
];
