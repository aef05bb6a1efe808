import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { heldOpening, turns, waitingGateway } from '../../helpers/held-opening.ts';
import { INITIALIZE } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { parseRaw, rawRequest } from '../../helpers/raw-http.ts';
import { rawOpening } from '../../helpers/raw-mcp.ts';
import { scriptedBackend, type Answer, type Hit } from '../../helpers/scripted-backend.ts';
import { bytesInMemory, digestOf, MEBIBYTE, streamedBytes } from '../../helpers/streamed-bytes.ts';

const id = 'opened-1';

const eventStream: Answer = ({ res }) => {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Mcp-Session-Id': id });
  res.write('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
};

const answers: { title: string; answer: Answer; tail: string }[] = [
  {
    title: 'a JSON answer',
    answer: ({ res }) =>
      res.writeHead(200, { 'Content-Type': 'application/json', 'Mcp-Session-Id': id }).end('{}'),
    tail: '{}',
  },
  {
    title: 'an event stream that stays open',
    answer: eventStream,
    tail: 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n',
  },
  {
    title: 'the head of an event stream without an event',
    answer({ res }) {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Mcp-Session-Id': id });
      res.flushHeaders();
    },
    tail: '\r\n\r\n',
  },
  {
    title: 'an answer without a body',
    answer: ({ res }) => res.writeHead(202, { 'Mcp-Session-Id': id }).end(),
    tail: '\r\n\r\n',
  },
  {
    title: 'an answer in pieces',
    async answer({ res }) {
      res.writeHead(200, { 'Content-Type': 'application/json', 'Mcp-Session-Id': id });
      for (const piece of ['{"a', '":"', 'ü"', '}']) {
        await new Promise((written) => res.write(piece, written));
      }
      res.end();
    },
    tail: Buffer.from('ü').toString('latin1'),
  },
];

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  test.each(answers)('B1 holds $title until the session is stored', async ({ answer, tail }) => {
    const held = await heldOpening({ express, proxy, answer });
    expect(held.client.text).toBe('');
    held.pending.store();
    expect(await held.storedAtFirstByte).toBe(true);
    expect(await held.client.until(tail)).toMatch(/^HTTP\/1.1 20[02] .*mcp-session-id: opened-1/is);
  });

  test('B1 sends on later events of a stream that was held at once', async () => {
    const { client, pending, backend } = await heldOpening({ express, proxy, answer: eventStream });
    pending.store();
    await client.until('"result":{}}\n\n');
    const { res } = await backend.hit(0);
    for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      res.write(event);
      expect(await client.until(event)).toContain(id);
    }
  });

  test('B1 holds an answer to an HTTP/1.0 client', async () => {
    const request = rawOpening().toString('latin1').replace('HTTP/1.1', 'HTTP/1.0');
    const { client, pending, storedAtFirstByte } = await heldOpening({ express, proxy, request });
    expect(client.text).toBe('');
    pending.store();
    expect(await storedAtFirstByte).toBe(true);
    expect(await client.closed).toBe('end');
    const answer = parseRaw(client.text);
    expect(answer.header('transfer-encoding')).toBeUndefined();
    expect(JSON.parse(answer.body)).toMatchObject({ id: 1, result: {} });
  });

  test('B1 keeps the order of pipelined requests around a held one', async () => {
    const request = Buffer.concat([
      rawRequest('GET /mcp?first'),
      rawOpening(),
      rawRequest('GET /mcp?last', ['Connection: close']),
    ]);
    const { client, pending, backend } = await heldOpening({ express, proxy, request });
    await backend.hitWhere(({ url }) => url === '/mcp?last');
    await client.until('?first');
    expect(client.text).not.toMatch(/mcp-session-id|last/i);
    pending.store();
    await client.closed;
    expect(client.text).toMatch(/url":"\/mcp\?first.*Mcp-Session-Id.*url":"\/mcp\?last/is);
  });

  test('B1 lets the neighbours of a held request be stored and refused on their own', async () => {
    const request = Buffer.concat([rawOpening(), rawOpening(), rawOpening(['Connection: close'])]);
    const { client, pending, store } = await heldOpening({ express, proxy, request });
    (await store.asked(1)).fail();
    (await store.asked(2)).store();
    pending.store();
    await client.closed;
    const statuses = client.text.match(/HTTP\/1.1 \d+/g);
    expect(statuses).toEqual(['HTTP/1.1 200', 'HTTP/1.1 503', 'HTTP/1.1 200']);
    expect(client.text.match(/mcp-session-id/gi)).toHaveLength(2);
  });

  test('B1 holds 64 MB without taking them into memory', async () => {
    const bytes = streamedBytes(64 * MEBIBYTE);
    const answer = async ({ res }: Hit): Promise<void> => {
      res.writeHead(200, { 'Content-Type': 'application/json', 'Mcp-Session-Id': id });
      await bytes.send(res);
    };
    const backend = await scriptedBackend(answer);
    const { gw, store } = await waitingGateway({
      express,
      proxy,
      options: { backends: backend.origin },
    });
    const before = bytesInMemory();
    const req = http.request(`${gw.url}/mcp`, { method: 'POST', agent: false });
    const responded = once(req, 'response') as Promise<[IncomingMessage]>;
    req.end(INITIALIZE);
    const pending = await store.asked();
    const { res } = await backend.hit(0);
    await turns(gw, 20);
    expect(res.writableNeedDrain).toBe(true);
    expect(bytesInMemory() - before).toBeLessThan(16 * MEBIBYTE);
    pending.store();
    const [response] = await responded;
    expect(await digestOf(response)).toBe(bytes.digest);
  });
});
