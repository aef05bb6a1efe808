import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect } from '@jest/globals';
import { MemoryStore, type McpSessionRoutingOptions } from '../../../src/index.ts';
import type { Gateway } from '../../helpers/gateway.ts';
import { post, type Addressed } from '../../helpers/mcp-client.ts';
import { rawConnection, rawRequest } from '../../helpers/raw-http.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import type { ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { scriptedStore, type ScriptedStore } from '../../helpers/scripted-store.ts';
import { until } from '../../helpers/until.ts';
import type { Env, Rule } from './rule.ts';

const MODERN = { 'MCP-Protocol-Version': '2026-07-28' } as const;
const TASKS: McpSessionRoutingOptions = { affinity: { tasks: true } };

/** How a backend answers `tools/call`. */
type Manner = (res: ServerResponse, task: object) => unknown;

const json: Manner = (res, task) =>
  res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answerOf(task)));
const stream: Manner = (res, task) => {
  res.writeHead(200, { 'Content-Type': 'text/event-stream' });
  res.write('event: message\ndata: {"method":"notifications/progress"}\n\n');
  res.write(`event: message\ndata: ${JSON.stringify(answerOf(task))}`);
  return res.end('\n\n');
};
const gzipped: Manner = (res, task) =>
  res
    .writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
    .end(gzipSync(JSON.stringify(answerOf(task))));
const MANNERS = Object.entries({ json, stream, 'compressed json': gzipped });

function answerOf(task: object): object {
  return { jsonrpc: '2.0', id: 1, result: { resultType: 'task', ...task } };
}

/** The backend creates tasks a-0, a-1 and so on, and says of each request which backend it has reached. */
function createTasks(backend: ScriptedBackend, manner: Manner, ttl?: number): void {
  let created = 0;
  backend.answer = ({ headers, res }) => {
    if (headers['mcp-method'] !== 'tools/call') return res.end(backend.name);
    created += 1;
    return manner(res, { taskId: `${backend.name}-${created - 1}`, ...(ttl && { ttl }) });
  };
}

interface Fleet {
  readonly one: Gateway;
  readonly other: Gateway;
  readonly backends: readonly ScriptedBackend[];
}

async function fleet(
  env: Env,
  manner: Manner,
  store: MemoryStore | ScriptedStore = new MemoryStore(),
  ttl?: number,
): Promise<Fleet> {
  const { gw, backends } = await env.routed(2, { store, options: TASKS });
  for (const backend of backends) createTasks(backend, manner, ttl);
  const origins = backends.map(({ origin }) => origin);
  const other = await env.gateway({ store, options: { ...TASKS, backends: origins } });
  return { one: gw, other, backends };
}

/** Calls a tool, and returns the id of its task. */
async function create(at: Addressed): Promise<string> {
  const headers = { ...MODERN, 'Mcp-Method': 'tools/call', 'Mcp-Name': 'tool' };
  const answer = await post(at, '{"id":1,"method":"tools/call"}', headers).expect(200);
  return /"taskId":"([^"]+)"/.exec(answer.text)?.[1] ?? '';
}

function ask(at: Addressed, task: string, method = 'tasks/get'): ReturnType<typeof post> {
  const headers = { ...MODERN, 'Mcp-Method': method, 'Mcp-Name': task };
  return post(at, JSON.stringify({ id: 2, method }), headers);
}

function mannerRule([name, manner]: readonly [string, Manner]): Rule {
  return {
    id: 'E3',
    title: `requests about a task reach its owner, from every gateway; it was created by ${name}`,
    async run(env) {
      const { one, other } = await fleet(env, manner);
      for (const owner of ['a', 'b']) {
        const task = await create(one);
        expect(task).toBe(`${owner}-0`);
        for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
          for (const at of [one, other]) await ask(at, task, method).expect(200, owner);
        }
        await ask(one, `=?base64?${Buffer.from(task).toString('base64')}?=`).expect(200, owner);
      }
    },
  };
}

function storeRule([name, manner]: readonly [string, Manner]): Rule {
  return {
    id: 'E3',
    title: `no client learns of a task that could not be stored; it was created by ${name}`,
    async run(env) {
      const store = scriptedStore();
      const { one } = await fleet(env, manner, store);
      store.fault = { create: 'reject' };
      const call = post(one, '{}', { ...MODERN, 'Mcp-Method': 'tools/call' });
      const told = await call.then(
        ({ status, text }) => `${status} ${text}`,
        (error: Error) => error.message,
      );
      expect(told).toMatch(/^503 .*"reason":"store_unavailable"|aborted/);
      expect(told).not.toContain('a-0');
    },
  };
}

export const tasks: readonly Rule[] = [
  ...MANNERS.map(mannerRule),
  ...MANNERS.map(storeRule),
  {
    id: 'E3',
    title: 'a task that nobody is known to hold is balanced',
    async run(env) {
      const { one } = await fleet(env, json);
      const answers = [await ask(one, 'unknown'), await ask(one, 'unknown')];
      expect(answers.map(({ text }) => text)).toEqual(['a', 'b']);
    },
  },
  {
    id: 'E3',
    title: 'the task of an owner that is lost is lost: 404 and -32602, and others go on',
    async run(env) {
      const { one, other, backends } = await fleet(env, json);
      const [lost, kept] = [await create(one), await create(one)];
      await backends[0]?.refuse();
      for (const at of [one, other]) {
        expectRefusal(await ask(at, lost), 'task_lost', at === other ? { id: '2' } : {});
      }
      await ask(one, kept).expect(200, 'b');
      expect(backends[1]?.hits.filter(({ headers }) => headers['mcp-name'] === lost)).toEqual([]);
    },
  },
  {
    id: 'E3',
    title: 'where a task is held is known for as long as the task says',
    async run(env) {
      const store = scriptedStore();
      const { one } = await fleet(env, json, store, 5000);
      await create(one);
      const [kept] = store.kept.values();
      expect(kept).toMatchObject({ expiresIn: 5000 + 86_400_000, record: { idle: 5000 } });
    },
  },
  {
    id: 'E3',
    title: 'answers that are too long to be read pass as they are, and are counted',
    async run(env) {
      const { one, backends } = await fleet(env, json);
      const long = 'x'.repeat(100_000);
      for (const type of ['text/plain', 'text/event-stream']) {
        const [a] = backends;
        const text = `data: ${long}\n\n${long}`;
        for (const backend of backends) {
          backend.answer = ({ res }) => res.writeHead(200, { 'Content-Type': type }).end(text);
        }
        const headers = { ...MODERN, 'Mcp-Method': 'tools/call' };
        await post(one, '{}', headers).expect(200, text);
        expect(a?.hits.length).toBeGreaterThan(0);
      }
      expect(one.sessions.stats().unreadAnswers).toBe(2);
    },
  },
  {
    id: 'E3',
    title: 'events before, and after, the task pass at once and byte for byte',
    async run(env) {
      const { one, backends } = await fleet(env, json);
      const [before, after] = [': ü\r\n\r\ndata: 1\r\n\r\n', 'data: {"n":1}\n\ndata: half'];
      const task = `data: ${JSON.stringify(answerOf({ taskId: 't' }))}\n\n`;
      for (const backend of backends) {
        backend.answer = ({ res }) => {
          res.writeHead(200, { 'Content-Type': 'text/event-stream' });
          for (const byte of Buffer.from(before + task + after)) res.write(Buffer.from([byte]));
          res.end();
        };
      }
      const headers = { ...MODERN, 'Mcp-Method': 'tools/call' };
      await post(one, '{}', headers).expect(200, before + task + after);
    },
  },
  {
    id: 'F1',
    title: 'comments that keep a stream alive while its tool runs pass at once',
    async run(env) {
      const { one, backends } = await fleet(env, json);
      const [before, after] = [': still there\n\n: and\r\n\r\n', 'data: 1\n\n'];
      for (const backend of backends) {
        backend.answer = ({ res }) => {
          res.writeHead(200, { 'Content-Type': 'text/event-stream' });
          return res.write(`${before}data: `);
        };
      }
      const connection = await rawConnection(one.url);
      const asked = ['MCP-Protocol-Version: 2026-07-28', 'Mcp-Method: tools/call'];
      connection.write(rawRequest('POST /mcp', asked, '{}'));
      await connection.until(before);
      backends.find(({ hits }) => hits.length > 0)?.hits[0]?.res.end('1\n\n');
      await connection.until(after);
    },
  },
  {
    id: 'E3',
    title: 'without the option answers are not looked at, and requests are balanced',
    async run(env) {
      const { gw, backends } = await env.routed(2);
      for (const backend of backends) createTasks(backend, json);
      const task = await create(gw);
      const answers = [await ask(gw, task), await ask(gw, task)];
      expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['a', 'b']));
    },
  },
  {
    id: 'A14',
    title: 'with tasks, a request of the app itself is untouched, whatever task it names',
    async run(env) {
      const { gw } = await env.routed(1, {
        options: TASKS,
        between: (app) => app.post('/own', (_req, res) => void res.end('local')),
      });
      const headers = { ...MODERN, 'Mcp-Method': 'tasks/get', 'Mcp-Name': 'x' };
      await until(async () => (await post(gw, '{}', headers, '/own')).text === 'local');
    },
  },
];
