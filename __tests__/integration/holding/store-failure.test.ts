import { describe, expect, test } from '@jest/globals';
import type { Express } from 'express';
import { gateway } from '../../helpers/gateway.ts';
import { heldOpening } from '../../helpers/held-opening.ts';
import { initialize, openSession } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { parseRaw, rawConnection, rawRequest } from '../../helpers/raw-http.ts';
import { rawOpening } from '../../helpers/raw-mcp.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import {
  scriptedBackend,
  type Answer,
  type ScriptedBackend,
} from '../../helpers/scripted-backend.ts';
import { scriptedStore, type Fault } from '../../helpers/scripted-store.ts';

const SECRET = 'of-the-backend';

const withSecret: Answer = ({ method, res }) => {
  if (method !== 'POST') return false;
  res.writeHead(200, SECRET, {
    'Mcp-Session-Id': 'secret-1',
    'Content-Type': 'application/json',
    'Set-Cookie': SECRET,
    'Access-Control-Allow-Origin': SECRET,
  });
  res.write(SECRET);
  return void res.end(SECRET);
};

const stream: Answer = ({ method, res }) => {
  if (method !== 'POST') return false;
  res.writeHead(200, { 'Mcp-Session-Id': 'stream-1', 'Content-Type': 'text/event-stream' });
  return void res.write(`data: ${SECRET}\n\n`);
};

function allowOrigin(app: Express): void {
  app.use((_req, res, next) => {
    res.setHeader('Access-Control-Allow-Origin', '*');
    res.setHeader('Access-Control-Expose-Headers', 'Mcp-Session-Id');
    next();
  });
}

function deleted(backend: ScriptedBackend): Promise<unknown> {
  return backend.hitWhere(({ method }) => method === 'DELETE');
}

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  test.each<Fault>(['throw', 'reject', 'hang'])(
    'B2 answers 503 when the store does %s, and deletes the session at its backend',
    async (fault) => {
      const backend = await scriptedBackend(withSecret);
      const store = scriptedStore();
      const options = { backends: backend.origin, storeTimeout: 200 };
      const gw = await gateway({ express, proxy, store, options, before: allowOrigin });
      store.fault = { create: fault };
      const answer = await initialize(gw, { Authorization: 'Bearer token' });
      expectRefusal(answer, 'store_unavailable');
      expect(answer.get('access-control-allow-origin')).toBe('*');
      expect(answer.get('access-control-expose-headers')).toBe('Mcp-Session-Id');
      expect(JSON.stringify(answer.headers)).not.toContain(SECRET);
      expect(await deleted(backend)).toMatchObject({
        url: '/mcp',
        headers: { 'mcp-session-id': 'secret-1', authorization: 'Bearer token' },
      });
    },
  );

  test('B2 breaks an event stream off at the backend, and says nothing of it', async () => {
    const { client, pending, backend } = await heldOpening({ express, proxy, answer: stream });
    const { res } = await backend.hit(0);
    const cut = new Promise<void>((resolve) => void res.once('close', resolve));
    pending.fail();
    await client.until('store_unavailable');
    await cut;
    expect(client.text).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/);
    expect(client.text).not.toContain(SECRET);
    await deleted(backend);
  });

  test('B2 leaves the connection fit for the next request', async () => {
    const { client, pending, backend } = await heldOpening({ express, proxy });
    pending.fail();
    await client.until('store_unavailable');
    client.write(rawRequest('GET /mcp?next', ['Connection: close']));
    await client.until('?next');
    expect((await deleted(backend)) && backend.sessions.size).toBe(0);
  });

  test('B2 closes the connection when the body of the request was not read', async () => {
    const backend = await scriptedBackend(
      ({ res, method }) =>
        method === 'POST' && void res.writeHead(200, { 'Mcp-Session-Id': 'early-1' }).end(),
      { early: true },
    );
    const store = scriptedStore();
    store.fault = { create: 'reject' };
    const gw = await gateway({ express, proxy, store, options: { backends: backend.origin } });
    const client = await rawConnection(gw.url);
    client.write(rawRequest('POST /mcp', ['Content-Length: 1000000'], '{'));
    expect(await client.closed).toBe('end');
    expect(parseRaw(client.text)).toMatchObject({ status: 503 });
    expect(parseRaw(client.text).header('connection')).toBe('close');
  });

  test('B2 works again as soon as the store does', async () => {
    const backend = await scriptedBackend();
    const store = scriptedStore();
    const gw = await gateway({ express, proxy, store, options: { backends: backend.origin } });
    store.fault = 'reject';
    expect((await initialize(gw)).status).toBe(503);
    store.fault = undefined;
    expect(await openSession(gw)).toMatch(/^b-/);
  });

  test('B2 is not stopped by a backend that does not answer its DELETE', async () => {
    const backend = await scriptedBackend(({ method }) => method === 'DELETE');
    const store = scriptedStore();
    store.fault = { create: 'reject' };
    const gw = await gateway({ express, proxy, store, options: { backends: backend.origin } });
    expect((await initialize(gw)).status).toBe(503);
    await deleted(backend);
  });

  test('B2 does not tell the backend of a client that only opened a stateless exchange', async () => {
    const backend = await scriptedBackend(({ res }) => res.end('{}'));
    const store = scriptedStore();
    store.fault = 'throw';
    const gw = await gateway({ express, proxy, store, options: { backends: backend.origin } });
    expect((await initialize(gw)).text).toBe('{}');
    expect(store.calls).toEqual([]);
    expect(backend.hits).toHaveLength(1);
  });
});

test('B2 keeps the exact bytes of a refusal on the wire', async () => {
  const request = rawOpening(['Connection: close']);
  const { client, pending } = await heldOpening({ request, answer: withSecret });
  pending.fail();
  await client.closed;
  const answer = parseRaw(client.text);
  expect(answer.header('content-length')).toBe(String(answer.body.length));
  expect(answer.body).toBe(
    '{"jsonrpc":"2.0","error":{"code":-32603,"message":"Session store unavailable, try again",' +
      '"data":{"reason":"store_unavailable"}}}',
  );
});
