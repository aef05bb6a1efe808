import { randomUUID } from 'node:crypto';
import { describe, expect, jest, test } from '@jest/globals';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import express, { type Express } from 'express';
import { MemoryStore } from '../../../src/index.ts';
import { MODERN } from '../../helpers/e2e-eras.ts';
import { makeClient1 } from '../../helpers/e2e-sdks.ts';
import { post } from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { replicas, roundRobin } from '../../helpers/replica.ts';
import { until } from '../../helpers/until.ts';

jest.setTimeout(60_000);

describe('HTTP+SSE (MCP 2024-11-05)', () => {
  function serveSse(app: Express, name: string): void {
    const transports = new Map<string, SSEServerTransport>();
    const open = async (res: express.Response): Promise<void> => {
      const transport = new SSEServerTransport('/messages', res);
      transports.set(transport.sessionId, transport);
      res.on('close', () => transports.delete(transport.sessionId));
      const server = new McpServer({ name, version: '1.0.0' });
      let count = 0;
      server.registerTool('count', { description: 'Counts' }, () => {
        count += 1;
        return { content: [{ type: 'text', text: `${name} ${count}` }] };
      });
      await server.connect(transport);
    };
    app.get('/sse', (_req, res, next) => {
      open(res).catch(next);
    });
    app.post('/messages', express.json(), (req, res, next) => {
      const transport = transports.get(
        new URL(req.url, 'http://a').searchParams.get('sessionId') ?? '',
      );
      if (transport) transport.handlePostMessage(req, res, req.body).catch(next);
      else res.status(404).send('Session not found');
    });
  }

  test('messages reach the replica that has the stream', async () => {
    const all = await replicas(3, {
      store: new MemoryStore(),
      options: { sse: true },
      serve: serveSse,
    });
    const { url } = await roundRobin(all);
    const clients = Array.from({ length: 4 }, (_, index) =>
      makeClient1(true)(`${url}/sse`, { name: `c${index}`, fetch }),
    );
    const counted: string[][] = [];
    for (const client of clients) {
      await client.open();
      const answers: string[] = [];
      for (let at = 0; at < 5; at += 1) answers.push(await client.call('count', {}));
      counted.push(answers);
    }
    const owners = counted.map(([first = '']) => first.split(' ')[0] ?? '');
    expect(counted).toEqual(owners.map((owner) => [1, 2, 3, 4, 5].map((at) => `${owner} ${at}`)));
    expect(new Set(owners).size).toBeGreaterThan(1);
    await Promise.all(clients.map((client) => client.close()));
  });

  test('a message for a session that nobody knows is for the app to answer', async () => {
    const [one] = await replicas(1, {
      store: new MemoryStore(),
      options: { sse: true },
      serve: serveSse,
    });
    const answer = await post(
      { url: one?.origin ?? '' },
      '{"jsonrpc":"2.0","id":2,"method":"ping"}',
      {},
      `/messages?sessionId=${randomUUID()}`,
    );
    expect([answer.status, answer.text]).toEqual([404, 'Session not found']);
  });
});

describe('2026-07-28', () => {
  function serveTasks(app: Express, name: string): void {
    const polls = new Map<string, number>();
    app.post('/mcp', express.json(), (req, res) => {
      const task = req.get('mcp-name') ?? '';
      const { id } = req.body as { id: number };
      const reply = (result: object): void => void res.json({ jsonrpc: '2.0', id, result });
      if (req.get('mcp-method') === 'tools/call') {
        const taskId = `${name}-${randomUUID()}`;
        polls.set(taskId, 0);
        reply({ resultType: 'task', taskId, status: 'working', ttlMs: 60_000 });
      } else if (polls.has(task)) {
        polls.set(task, (polls.get(task) ?? 0) + 1);
        reply({ resultType: 'complete', taskId: task, polls: polls.get(task), by: name });
      } else {
        reply({ by: name });
      }
    });
  }

  function modern(method: string, name: string): Record<string, string> {
    return { 'MCP-Protocol-Version': MODERN, 'Mcp-Method': method, 'Mcp-Name': name };
  }

  const body = '{"jsonrpc":"2.0","id":1,"method":"any"}';

  test('is served where it arrives, and a task is asked for where it lives', async () => {
    const all = await replicas(3, {
      store: new MemoryStore(),
      options: { affinity: { tasks: true } },
      serve: serveTasks,
    });
    const [first] = all;
    const created = await post({ url: first?.origin ?? '' }, body, modern('tools/call', 'a-tool'));
    const { taskId } = (JSON.parse(created.text) as { result: { taskId: string } }).result;
    expect(taskId).toMatch(/^r0-/);
    const polled: unknown[] = [];
    for (const each of all) {
      const answer = await post(each, body, modern('tasks/get', taskId));
      polled.push((JSON.parse(answer.text) as { result: unknown }).result);
    }
    expect(polled).toMatchObject([1, 2, 3].map((polls) => ({ by: 'r0', polls })));

    const unknown = await Promise.all(
      all.map(async (each) => {
        const answer = await post(each, body, modern('tasks/get', 'of-nobody'));
        return (JSON.parse(answer.text) as { result: { by: string } }).result.by;
      }),
    );
    expect(unknown).toEqual(['r0', 'r1', 'r2']);
  });

  test('asks no other replica anything', async () => {
    const list: string[] = [];
    const all = await replicas(2, {
      store: new MemoryStore(),
      options: { backends: () => list },
    });
    list.push(...all.map(({ origin }) => origin));
    const [one, other] = all;
    await until(() => one?.sessions.backends.list().length === 2);
    await post({ url: one?.origin ?? '' }, body, modern('server/discover', 'any'));
    await post({ url: one?.origin ?? '' }, body, modern('tools/list', 'any'));
    expect(one?.served).toHaveLength(2);
    expect(other?.served).toHaveLength(0);
  });

  test('a task of somebody else is asked for where it does not live', async () => {
    const principal = (req: express.Request): string | undefined => req.get('x-user');
    const all = await replicas(2, {
      store: new MemoryStore(),
      options: { affinity: { tasks: true }, principal },
      serve: serveTasks,
    });
    const [one, other] = all.map(({ origin }) => ({ url: origin }));
    if (!one || !other) throw new Error('there are not two');
    const as = (user: string, method: string, name: string): Record<string, string> => ({
      ...modern(method, name),
      'X-User': user,
    });
    const created = await post(one, body, as('anna', 'tools/call', 'a-tool'));
    const { taskId } = (JSON.parse(created.text) as { result: { taskId: string } }).result;
    const theirs = await post(other, body, as('eve', 'tasks/get', taskId));
    expect(JSON.parse(theirs.text)).toMatchObject({ result: { by: 'r1' } });
    expectRefusal(await post(one, body, as('eve', 'tasks/get', taskId)), 'task_lost');
    const own = await post(other, body, as('anna', 'tasks/get', taskId));
    expect(JSON.parse(own.text)).toMatchObject({ result: { by: 'r0', polls: 1 } });
  });
});
