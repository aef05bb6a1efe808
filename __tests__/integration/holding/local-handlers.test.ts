import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, jest, test } from '@jest/globals';
import express, { type RequestHandler } from 'express';
import { routedRequestOf } from '../../../src/http/routed-request.ts';
import { gateway, type ExpressMajor } from '../../helpers/gateway.ts';
import { heldOpening, turns } from '../../helpers/held-opening.ts';
import { parseRaw, rawHttp } from '../../helpers/raw-http.ts';
import { rawOpening } from '../../helpers/raw-mcp.ts';

const id = 'local-1';
const json = 'application/json';

const handlers: Record<string, RequestHandler> = {
  'res.json': (_req, res) => void res.set('Mcp-Session-Id', id).json({ ok: true }),
  'res.send with a status': (_req, res) => void res.status(202).set('Mcp-Session-Id', id).send(),
  'res.end alone': (_req, res) => void res.setHeader('Mcp-Session-Id', id).end('ended'),
  'res.write in pieces'(_req, res) {
    res.setHeader('Mcp-Session-Id', id);
    res.write('one ');
    res.write('dHdvIA==', 'base64');
    res.end(Buffer.from('three'));
  },
  'writeHead with an object': (_req, res) =>
    void res.writeHead(200, { 'Mcp-Session-Id': id, 'Content-Type': json }).end('{}'),
  'writeHead with a reason': (_req, res) =>
    void res.writeHead(201, 'Opened', { 'Mcp-Session-Id': id }).end('{}'),
  'writeHead with a flat list': (_req, res) =>
    void res.writeHead(200, ['Mcp-Session-Id', id, 'X-One', 'a', 'X-Two', 'b']).end('{}'),
  'writeHead with headers set before'(_req, res) {
    res.setHeader('Mcp-Session-Id', 'another');
    res.writeHead(200, { 'mcp-session-id': id }).end('{}');
  },
  'flushHeaders first'(_req, res) {
    res.setHeader('Mcp-Session-Id', id);
    res.flushHeaders();
    setImmediate(() => res.end('later'));
  },
  'a stream that is piped'(_req, res) {
    res.setHeader('Mcp-Session-Id', id);
    Readable.from(['a'.repeat(70_000), 'b'.repeat(70_000), 'c'])
      .map((text) => Buffer.from(text))
      .pipe(res);
  },
  'a pipeline'(_req, res, next) {
    res.setHeader('Mcp-Session-Id', id);
    const parts = Array.from({ length: 40 }, () => Buffer.alloc(10_000, 'p'));
    pipeline(parts, res).catch(next);
  },
  async 'writes that wait for their callbacks'(_req, res) {
    res.setHeader('Mcp-Session-Id', id);
    for (const part of ['one ', 'two ', 'three']) {
      await new Promise<unknown>((written) => res.write(part, written));
    }
    await new Promise<void>((ended) => res.end(ended));
  },
  async 'writes that wait for drain'(_req, res) {
    res.setHeader('Mcp-Session-Id', id);
    for (let part = 0; part < 5; part += 1) {
      if (!res.write(String(part).repeat(30_000))) await once(res, 'drain');
    }
    res.end();
  },
  'next() after the answer'(_req, res, next) {
    res.set('Mcp-Session-Id', id).json({ ok: true });
    next();
  },
  'writes after the end'(_req, res) {
    res.on('error', () => {});
    res.set('Mcp-Session-Id', id).json({ ok: true });
    if (!res.headersSent) res.status(500).send('again');
    res.end('more');
  },
};

/** The answer, but for what differs from one moment to the next. */
function comparable(text: string): unknown {
  const { status, headers, body } = parseRaw(text);
  const names = headers.filter(([name]) => name !== 'date');
  return { line: text.slice(0, text.indexOf('\r\n')), status, headers: names, body };
}

describe.each<ExpressMajor>([5, 4])('Express %d', (major) => {
  test.each(Object.entries(handlers))(
    'B1 holds what a local handler answers: %s',
    async (_title, handler) => {
      const between = (app: express.Express): unknown => app.post('/mcp', handler);
      const request = rawOpening(['Connection: close']);
      const plain = await gateway({ express: major, between, bare: true });
      const held = await heldOpening({ express: major, between, request });
      expect(held.client.text).toBe('');
      held.pending.store();
      expect(await held.storedAtFirstByte).toBe(true);
      await held.client.closed;
      expect(comparable(held.client.text)).toEqual(comparable(await rawHttp(plain.url, request)));
    },
  );

  test('B1 holds the answer to a request that express.json() has read', async () => {
    const { client, pending, storedAtFirstByte } = await heldOpening({
      express: major,
      before: (app) => void app.use(express.json()),
    });
    expect(client.text).toBe('');
    pending.store();
    expect(await storedAtFirstByte).toBe(true);
  });

  test('B1 takes a list of pairs in writeHead', async () => {
    const pairs = [
      ['Mcp-Session-Id', id],
      ['X-Two', ['a', 'b']],
    ];
    const { client, pending } = await heldOpening({
      express: major,
      between: (app) =>
        app.post('/mcp', (_req, res) => res.writeHead(200, pairs as never).end('{}')),
      request: rawOpening(['Connection: close']),
    });
    pending.store();
    await client.closed;
    const names = parseRaw(client.text).headers.filter(([name]) => /^(mcp|x-two)/.test(name));
    expect(names).toEqual([
      ['mcp-session-id', id],
      ['x-two', 'a'],
      ['x-two', 'b'],
    ]);
  });

  test('B2 calls back a local handler whose answer was dropped', async () => {
    const done: string[] = [];
    const { client, pending, gw } = await heldOpening({
      express: major,
      between: (app) =>
        app.post('/mcp', (_req, res) => {
          res.setHeader('Mcp-Session-Id', id);
          res.write('secret', () => done.push('written'));
          res.end('secret', () => done.push('ended'));
        }),
      request: rawOpening(['Connection: close']),
    });
    pending.fail();
    await client.closed;
    await turns(gw, 1);
    expect(client.text).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n(?!.*secret)/s);
    expect(done).toEqual(['written', 'ended']);
  });

  test('B2 lets no answer through that a handler makes up when its own was dropped', async () => {
    const { client, pending } = await heldOpening({
      express: major,
      between: (app) =>
        app.post('/mcp', async (_req, res) => {
          res.setHeader('Mcp-Session-Id', id);
          await new Promise<unknown>((written) => res.write('secret', written));
          res.writeHead(200, { 'Mcp-Session-Id': id });
          res.end('more');
        }),
      request: rawOpening(['Connection: close']),
    });
    pending.fail();
    await client.closed;
    expect(client.text).toMatch(/^HTTP\/1.1 503 /);
    expect(client.text).not.toMatch(/secret|more|mcp-session-id/i);
  });

  test('D5 a refusal that comes while an answer is held breaks it off, and asks no handler', async () => {
    const handler = jest.fn();
    const { client } = await heldOpening({
      express: major,
      options: { handler },
      between: (app) =>
        app.post('/mcp', (req, res) => {
          res.setHeader('Mcp-Session-Id', id);
          res.write('half of it');
          routedRequestOf(req)?.refuse('upstream_failed');
        }),
    });
    expect([await client.closed, client.text]).toEqual(['end', '']);
    expect(handler).not.toHaveBeenCalled();
  });

  test('G2 a held answer that node:http refuses ends the connection, not the process', async () => {
    const { client, pending } = await heldOpening({
      express: major,
      between: (app) =>
        app.post('/mcp', (_req, res) => {
          res.setHeader('Mcp-Session-Id', id);
          res.writeHead(200, 'two\nlines').end();
        }),
    });
    pending.store();
    await client.closed;
    expect(client.text).toBe('');
  });
});
