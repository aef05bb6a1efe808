import { EventEmitter, once } from 'node:events';
import { expect, test } from '@jest/globals';
import type { Express, RequestHandler } from 'express';
import { gateway } from '../../helpers/gateway.ts';
import { call, echoCall, openSession, terminate } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { rawConnection, rawRequest } from '../../helpers/raw-http.ts';
import { sessionLines } from '../../helpers/raw-mcp.ts';
import { scriptedBackend } from '../../helpers/scripted-backend.ts';
import { until } from '../../helpers/until.ts';

test.each(stacks)(
  'C1: a DELETE that no proxy takes, and the app answers by 404, ends no session ($name)',
  async ({ app: express, proxy }) => {
    const backend = await scriptedBackend();
    const options = { backends: backend.origin };
    const mount = (app: Express, handler: RequestHandler): unknown => app.all('/mcp', handler);
    const gw = await gateway({ express, proxy, options, mount });
    const id = await openSession(gw);
    const statuses: number[] = [];
    for (const asked of [
      () => terminate(gw, id, '/elsewhere'),
      () => call(gw, id),
      () => terminate(gw, id),
      () => call(gw, id),
    ])
      statuses.push((await asked()).status);
    expect(statuses).toEqual([404, 200, 200, 404]);
  },
);

test.each(stacks)(
  'D4: a backend that breaks off after its head leaves nothing of it on the answer ($name)',
  async ({ app: express, proxy }) => {
    const head = [
      'HTTP/1.1 200 Quite Right',
      ...['Mcp-Session-Id: ID', 'Transfer-Encoding: chunked', 'Content-Encoding: br'],
      ...['Set-Cookie: a=1', 'Link: <http://10.0.0.1/>', 'Content-Type: application/json', '', ''],
    ];
    const backend = await scriptedBackend();
    // The forwarder has nobody to tell; whatever it has heard, it must not mix it.
    const told = new EventEmitter();
    const on = { proxyRes: () => void setImmediate(() => told.emit('head')) };
    const proxyOptions = proxy === 'forward' ? {} : { on };
    const options = { backends: backend.origin };
    const gw = await gateway({ express, proxy, proxyOptions, options });
    const id = await openSession(gw);
    backend.answer = async ({ req: { socket } }) => {
      const heard = proxy === 'forward' ? undefined : once(told, 'head');
      await new Promise((written) => socket.write(head.join('\r\n').replace('ID', id), written));
      await heard;
      socket.resetAndDestroy();
    };
    const lines = [...sessionLines(id), 'Content-Type: application/json'];
    const client = await rawConnection(gw.url);
    client.write(rawRequest('POST /mcp', lines, echoCall('x')));
    await Promise.race([client.until('upstream_failed'), client.closed]);
    const { text } = client;
    const isOurs = text.includes('upstream_failed');
    expect([isOurs, /^HTTP\/1.1 502 Bad Gateway\r\n/.test(text)]).toEqual([isOurs, isOurs]);
    const theirs = /session-id|transfer-encoding|content-encoding|set-cookie|10\.0\.0\.1/i;
    expect(isOurs && theirs.test(text)).toBe(false);
    expect(isOurs || proxy === 'forward').toBe(true);
  },
);

test.each(stacks.filter(({ app }) => app !== 'none'))(
  'F1: the response to a call of a session is left as the app knows it ($name)',
  async ({ app: express, proxy }) => {
    const wrapped: boolean[] = [];
    const before = (app: Express): unknown =>
      app.use((_req, res, next) => {
        res.on('finish', () => wrapped.push(Object.hasOwn(res, 'end')));
        next();
      });
    const backend = await scriptedBackend();
    const gw = await gateway({ express, proxy, before, options: { backends: backend.origin } });
    await call(gw, await openSession(gw)).expect(200);
    await until(() => wrapped.length === 2);
    // Only the one that opened the session had to wait for the store.
    expect(wrapped).toEqual([true, false]);
  },
);
