import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import { openSession } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { rawConnection, rawRequest, type RawConnection } from '../../helpers/raw-http.ts';
import { sessionLines } from '../../helpers/raw-mcp.ts';
import {
  scriptedBackend,
  type Answer,
  type Hit,
  type ScriptedBackend,
} from '../../helpers/scripted-backend.ts';
import { until } from '../../helpers/until.ts';

const never: Answer = () => {};

const phases: { title: string; answer: Answer; request: Buffer; reached?: RegExp }[] = [
  {
    title: 'before the head of the answer',
    answer: never,
    request: rawRequest('POST /mcp', [], '{}'),
  },
  {
    title: 'after the head of an event stream',
    answer: ({ res }) => res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders(),
    request: rawRequest('GET /mcp'),
    reached: /\r\n\r\n/,
  },
  {
    title: 'in an event stream',
    answer: ({ res }) =>
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': \n\n'),
    request: rawRequest('GET /mcp'),
    reached: /: \n\n/,
  },
  {
    title: 'in a long answer that it does not read',
    answer: ({ res }) => res.end(Buffer.alloc(20_000_000)),
    request: rawRequest('GET /mcp'),
    reached: /\r\n\r\n/,
  },
  {
    title: 'in the middle of its own body',
    answer: ({ req }) => req.resume(),
    request: Buffer.concat([
      rawRequest('POST /mcp', ['Content-Length: 1000000']),
      Buffer.alloc(70_000, '{'),
    ]),
  },
];

const leaves: Record<string, (client: RawConnection) => void> = {
  'is reset': (client) => client.reset(),
  'is closed': (client) => void client.socket.destroy(),
  ends: (client) => client.finish(),
};

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  async function start(answer: Answer): Promise<{ gw: Gateway; backend: ScriptedBackend }> {
    const backend = await scriptedBackend(answer, { early: true });
    return {
      backend,
      gw: await gateway({ express, proxy, options: { backends: backend.origin } }),
    };
  }

  describe.each(phases)('$title', ({ answer, request, reached }) => {
    test.each(Object.entries(leaves))(
      'F3 a client whose connection %s ends its request at the backend',
      async (_how, leave) => {
        const { gw, backend } = await start(answer);
        const client = await rawConnection(gw.url);
        client.write(request);
        const { res } = await backend.hit(0);
        if (reached) await client.until(reached);
        const cut = once(res, 'close');
        const left = performance.now();
        leave(client);
        await cut;
        expect(performance.now() - left).toBeLessThan(1000);
        await until(() => gw.sockets.size === 0);
      },
    );
  });

  test('F3 200 requests that were broken off leave nothing behind', async () => {
    const { gw, backend } = await start(never);
    backend.answer = ({ method, res }: Hit) => method === 'GET' && res.flushHeaders();
    const id = await openSession(gw);
    const broken = async (at: number): Promise<void> => {
      const client = await rawConnection(gw.url);
      const url = `/mcp?${at}`;
      const half = rawRequest(`POST ${url}`, [...sessionLines(id), 'Content-Length: 100'], '{');
      client.write(at % 2 === 0 ? half : rawRequest(`GET ${url}`, sessionLines(id)));
      await until(() => backend.hits.some((hit) => hit.url === url));
      client.reset();
    };
    await Promise.all(Array.from({ length: 200 }, (_, at) => broken(at)));
    await until(() => gw.sockets.size === 0);
    await until(() => backend.sockets.size <= 1);
    await until(() => gw.sessions.stats().streams === 0);
    expect(await openSession(gw)).toMatch(/^b-/);
  });
});
