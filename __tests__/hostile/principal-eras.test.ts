import http from 'node:http';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryStore, type SessionRecord } from '../../src/index.ts';
import { keyOfTask } from '../../src/routing/keys.ts';
import { onCleanup } from '../helpers/cleanup.ts';
import { gateway, type Gateway } from '../helpers/gateway.ts';
import { echoCall, initialize, INITIALIZE, ofSession, post } from '../helpers/mcp-client.ts';
import { stacks } from '../helpers/pairings.ts';
import { expectRefusal } from '../helpers/refusal.ts';
import { scriptedBackends, type ScriptedBackend } from '../helpers/scripted-backend.ts';

const MODERN = { 'MCP-Protocol-Version': '2026-07-28' } as const;
const STREAM_ID = 'abcdef-1';
const UNKNOWN_STREAM_ID = 'abcdef-2';

const options = {
  principal: ({ headers }: http.IncomingMessage): string | undefined =>
    headers['x-user']?.toString(),
  sse: true,
  affinity: { tasks: true },
};

describe.each(stacks)('A11 ($name)', ({ app: express, proxy }) => {
  let backends: ScriptedBackend[];
  let gw: Gateway;
  let memory: MemoryStore;

  async function start(count: number): Promise<void> {
    backends = await scriptedBackends(count);
    const origins = backends.map(({ origin }) => origin);
    memory = new MemoryStore();
    const all = { ...options, backends: origins };
    gw = await gateway({ express, proxy, store: memory, options: all });
  }

  /** Opens the stream of HTTP+SSE; resolves with its first event. */
  function openStream(user: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { Accept: 'text/event-stream', 'X-User': user };
      const req = http.get(`${gw.url}/sse`, { agent: false, headers });
      onCleanup(() => req.destroy());
      req.on('error', reject);
      req.on('response', (res) => res.once('data', (event: Buffer) => resolve(event.toString())));
    });
  }

  describe('a session of HTTP+SSE', () => {
    beforeEach(async () => {
      await start(1);
      const [backend] = backends;
      if (!backend) return;
      backend.answer = ({ method, res }) => {
        if (method !== 'GET') return res.writeHead(202).end();
        res.writeHead(200, { 'Content-Type': 'text/event-stream' });
        return res.write(`event: endpoint\ndata: /messages?sessionId=${STREAM_ID}\n\n`);
      };
    });

    test('is for its principal', async () => {
      await openStream('ann');
      const send = (id: string, user: string): ReturnType<typeof post> =>
        post(gw, echoCall('x'), { 'X-User': user }, `/messages?sessionId=${id}`);
      await send(STREAM_ID, 'ann').expect(202);
      const hits = backends[0]?.hits.length;
      const [theirs, none] = [await send(STREAM_ID, 'bob'), await send(UNKNOWN_STREAM_ID, 'bob')];
      expectRefusal(theirs, 'unknown_session', { id: '2' });
      expect({ ...theirs.headers, date: '' }).toEqual({ ...none.headers, date: '' });
      expect(theirs.text).toBe(none.text);
      expect(backends[0]?.hits).toHaveLength(hits ?? -1);
    });

    test('cannot be named beside another one, in the query or in a header', async () => {
      await openStream('ann');
      const [backend] = backends;
      if (!backend) return;
      const bobs = 'bob-1';
      const { answer } = backend;
      backend.answer = ({ res }) => res.setHeader('Mcp-Session-Id', bobs).end('{}');
      await initialize(gw, { 'X-User': 'bob' }).expect(200);
      backend.answer = answer;
      backend.hits.length = 0;
      const batch = `[${INITIALIZE},${echoCall('x')}]`;
      const own = { 'X-User': 'bob', ...ofSession(bobs) };
      for (const [path, headers, body] of [
        [`/messages?sessionId=x&session_id=${STREAM_ID}`, {}, echoCall('x')],
        [`/messages?session_id=x&sessionId=${STREAM_ID}`, {}, echoCall('x')],
        [`/messages?session_id=${STREAM_ID}`, MODERN, echoCall('x')],
        [`/messages?session_id=${STREAM_ID}`, own, echoCall('x')],
        [`/messages?sessionId=${STREAM_ID}`, { 'Mcp-Session-Id': 'junk' }, batch],
      ] as const) {
        const refused = await post(gw, body, { 'X-User': 'bob', ...headers }, path);
        expect(refused.status).toBe(400);
      }
      expect(backend.hits).toEqual([]);
    });
  });

  describe('a task', () => {
    const ask = (task: string, user: string): ReturnType<typeof post> =>
      post(gw, '{"jsonrpc":"2.0","id":2,"method":"tasks/get"}', {
        ...MODERN,
        'Mcp-Method': 'tasks/get',
        'Mcp-Name': task,
        'X-User': user,
      });

    async function create(user: string): Promise<string> {
      for (const backend of backends) {
        backend.answer = ({ headers, res }) =>
          headers['mcp-method'] === 'tools/call'
            ? res
                .writeHead(200, { 'Content-Type': 'application/json' })
                .end(
                  `{"jsonrpc":"2.0","id":1,"result":{"resultType":"task","taskId":"${backend.name}-1"}}`,
                )
            : res.end(backend.name);
      }
      const headers = { ...MODERN, 'Mcp-Method': 'tools/call', 'Mcp-Name': 't', 'X-User': user };
      const answer = await post(gw, '{"id":1,"method":"tools/call"}', headers).expect(200);
      return /"taskId":"([^"]+)"/.exec(answer.text)?.[1] ?? '';
    }

    test('of another principal goes anywhere but to its owner', async () => {
      await start(3);
      const task = await create('ann');
      const [owner = ''] = task.split('-');
      expect((await ask(task, 'ann')).text).toBe(owner);
      const reached: string[] = [];
      for (let turn = 0; turn < 6; turn += 1) reached.push((await ask(task, 'bob')).text);
      expect(new Set(reached)).toEqual(new Set(['a', 'b', 'c'].filter((name) => name !== owner)));
    });

    test('of another principal does not go to its owner by a router of the app', async () => {
      await start(2);
      const task = await create('ann');
      const owner = backends.find(({ name }) => task.startsWith(name));
      const proxyOptions = proxy === 'forward' ? {} : { router: () => owner?.origin };
      const all = { ...options, backends: backends.map(({ origin }) => origin) };
      gw = await gateway({ express, proxy, proxyOptions, store: memory, options: all });
      const hits = owner?.hits.length;
      await ask(task, 'bob');
      expect(owner?.hits).toHaveLength(hits ?? -1);
      expect((await ask(task, 'ann')).text).toBe(owner?.name);
    });

    test('of another principal is lost where it is over', async () => {
      await start(1);
      const task = await create('ann');
      const record = memory.get(keyOfTask(task));
      memory.set(keyOfTask(task), { ...Object(record), ended: true } as SessionRecord, 1000);
      const hits = backends[0]?.hits.length;
      expectRefusal(await ask(task, 'bob'), 'task_lost', { id: '2' });
      expect(backends[0]?.hits).toHaveLength(hits ?? -1);
    });

    test('is kept its whole time from the beginning: it is asked for now and then', async () => {
      await start(1);
      const task = await create('ann');
      const left = memory.getWithExpiry(keyOfTask(task))?.expiresIn ?? 0;
      expect(left).toBeGreaterThan(26 * 60 * 60 * 1000 - 60_000);
    });

    test('is recorded without a list of backends, too', async () => {
      await start(1);
      const target = backends[0]?.origin;
      const proxyOptions = proxy === 'forward' ? { target } : { target, router: undefined };
      gw = await gateway({ express, proxy, proxyOptions, store: memory, options });
      const task = await create('ann');
      expect(memory.get(keyOfTask(task))).toBeDefined();
      expectRefusal(await ask(task, 'bob'), 'task_lost');
    });

    test('of another principal is lost where there is nobody but its owner', async () => {
      await start(1);
      const task = await create('ann');
      const hits = backends[0]?.hits.length;
      expectRefusal(await ask(task, 'bob'), 'task_lost');
      expect(backends[0]?.hits).toHaveLength(hits ?? -1);
      expect((await ask(task, 'ann')).text).toBe('a');
    });
  });
});
