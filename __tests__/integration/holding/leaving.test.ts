import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { heldOpening, turns } from '../../helpers/held-opening.ts';
import { stacks } from '../../helpers/pairings.ts';
import { rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { rawOpening, sessionLines } from '../../helpers/raw-mcp.ts';
import type { Answer } from '../../helpers/scripted-backend.ts';

const head = { 'Mcp-Session-Id': 'held-1', 'Content-Type': 'text/event-stream' };

const stream: Answer = ({ method, res }) => {
  if (method !== 'POST') return false;
  return void res.writeHead(200, head).write('data: {}\n\n');
};

const withoutEvents: Answer = ({ res }) => res.writeHead(200, head).flushHeaders();

const long: Answer = ({ res }) => res.writeHead(200, head).end(Buffer.alloc(10_000_000, 'x'));

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  test.each([
    { title: 'an event stream', answer: stream },
    { title: 'a stream without events', answer: withoutEvents },
    { title: 'a long answer', answer: long },
  ])('B7 breaks $title off at the backend when the client leaves', async ({ answer }) => {
    const { client, backend } = await heldOpening({ express, proxy, answer });
    const { res } = await backend.hit(0);
    const cut = once(res, 'close');
    const left = performance.now();
    client.reset();
    await cut;
    expect(performance.now() - left).toBeLessThan(1000);
  });

  test('B7 forgets a client that has left, and keeps its session until it expires', async () => {
    const { client, backend, gw, store, pending } = await heldOpening({
      express,
      proxy,
      answer: stream,
    });
    const { res } = await backend.hit(0);
    client.reset();
    await once(res, 'close');
    pending.store();
    await turns(gw);
    expect(gw.sessions.stats().streams).toBe(0);
    expect(store.has('held-1')).toBe(true);
    expect(client.text).toBe('');
    backend.answer = (hit) => hit.res.end('still routed');
    const lines = [...sessionLines('held-1'), 'Connection: close'];
    expect(await rawHttp(gw.url, rawRequest('POST /mcp', lines))).toContain('still routed');
  });

  test('B7 forgets a client that has left before the store has failed', async () => {
    const { client, backend, gw, pending } = await heldOpening({ express, proxy, answer: stream });
    const { res } = await backend.hit(0);
    client.reset();
    await once(res, 'close');
    pending.fail();
    await backend.hitWhere(({ method }) => method === 'DELETE');
    await turns(gw);
    expect(gw.sessions.stats()).toMatchObject({ streams: 0, opened: 0 });
  });

  test('B7 breaks off an answer whose backend dies while it is held', async () => {
    const { client, backend, pending } = await heldOpening({ express, proxy, answer: stream });
    backend.reset();
    await client.closed;
    pending.store();
    expect(client.text).not.toMatch(/^HTTP\/1.1 2|mcp-session-id/i);
  });

  test('B7 breaks off an answer that its backend cuts short while it is held', async () => {
    const answer: Answer = ({ res }) => {
      res.writeHead(200, { ...head, 'Content-Length': 100 }).write('{"half":');
      res.socket?.end();
    };
    const { client, pending } = await heldOpening({ express, proxy, answer });
    await client.closed;
    pending.store();
    expect(client.text).not.toMatch(/^HTTP\/1.1 2|mcp-session-id/i);
  });

  test('B7 breaks upstream off when a client with pipelined requests leaves', async () => {
    const request = Buffer.concat([rawOpening(), rawOpening(), rawOpening()]);
    const { client, backend } = await heldOpening({ express, proxy, request, answer: stream });
    const hits = await Promise.all([backend.hit(0), backend.hit(1), backend.hit(2)]);
    const cut = hits.map(({ res }) => once(res, 'close'));
    client.reset();
    expect(await Promise.all(cut)).toHaveLength(3);
  });
});
