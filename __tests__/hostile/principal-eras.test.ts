import http from 'node:http';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { onCleanup } from '../helpers/cleanup.ts';
import { gateway, type Gateway } from '../helpers/gateway.ts';
import { echoCall, post } from '../helpers/mcp-client.ts';
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

  async function start(count: number): Promise<void> {
    backends = await scriptedBackends(count);
    const origins = backends.map(({ origin }) => origin);
    gw = await gateway({ express, proxy, options: { ...options, backends: origins } });
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
