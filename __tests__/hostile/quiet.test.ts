import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import type { Logger, SessionEvents } from '../../src/index.ts';
import { gateway, type Gateway } from '../helpers/gateway.ts';
import { echoCall, INITIALIZE } from '../helpers/mcp-client.ts';
import { stacks } from '../helpers/pairings.ts';
import { rawHttp, rawRequest } from '../helpers/raw-http.ts';
import { sessionIdIn, sessionLines } from '../helpers/raw-mcp.ts';
import { scriptedBackends, type ScriptedBackend } from '../helpers/scripted-backend.ts';
import { scriptedStore, type ScriptedStore } from '../helpers/scripted-store.ts';
import { warnings } from '../helpers/warnings.ts';

const TOKEN = 'token-of-ann-7c9e6679';
const PRINCIPAL = 'https://issuer.example ann-7c9e6679';
const SECRET = 'secret-of-the-store-7c9e6679-7c9e6679';
const CLOSE = 'Connection: close';

interface Scene {
  readonly gw: Gateway;
  readonly backends: readonly ScriptedBackend[];
  readonly store: ScriptedStore;
  readonly id: string;
  /** Sends a request with the token; what comes back is kept. */
  readonly send: (line: string, lines: readonly string[], body?: string) => Promise<string>;
}

/** Everything that can go wrong. */
const EVENTS: Record<string, (scene: Scene) => Promise<unknown>> = {
  'a call': ({ send, id }) => send('POST /mcp', sessionLines(id), echoCall('x')),
  'an unknown id': ({ send }) => send('POST /mcp', sessionLines('guessed-7c9e6679'), echoCall('x')),
  'a malformed id': ({ send, id }) => send('POST /mcp', [`Mcp-Session-Id: ${id} x`], echoCall('x')),
  'an id that was sent twice': ({ send, id }) =>
    send('POST /mcp', [...sessionLines(id), `mcp-session-id: ${id}`], echoCall('x')),
  'an id in the path': ({ send, id }) =>
    send(`POST /mcp/../${id}`, sessionLines(id), echoCall('x')),
  'a stranger': ({ send, id }) =>
    send('POST /mcp', [...sessionLines(id), 'X-User: bob'], echoCall('x')),
  'a principal that cannot be told': ({ send, id }) =>
    send('POST /mcp', [...sessionLines(id), 'X-User: fails'], echoCall('x')),
  'a foreign page': ({ send, id }) =>
    send('POST /mcp', [...sessionLines(id), 'Origin: https://evil.example'], echoCall('x')),
  'a store that fails': async ({ send, id, store }) => {
    store.fault = 'reject';
    store.error = new Error('connection lost');
    await send('POST /mcp', sessionLines(id), echoCall('x'));
    await send('POST /mcp', [], INITIALIZE);
    store.fault = undefined;
  },
  'a poisoned record': async ({ send, store, id }) => {
    store.put(id, { ...store.recordOf(id), nonce: 7 });
    await send('POST /mcp', sessionLines(id), echoCall('x'));
  },
  'a backend that breaks off': async ({ send, id, backends }) => {
    for (const backend of backends) backend.answer = ({ req }) => req.socket.destroy();
    await send('POST /mcp', sessionLines(id), echoCall('x'));
    await send('POST /mcp', [], INITIALIZE);
  },
  'a backend that is gone': async ({ send, id, backends }) => {
    for (const backend of backends) await backend.refuse();
    await send('POST /mcp', sessionLines(id), echoCall('x'));
    await send('POST /mcp', [], INITIALIZE);
  },
  'a backend that answers with garbage': async ({ send, id, backends }) => {
    for (const backend of backends)
      backend.answer = ({ req }) => req.socket.end(`HTTP/1.1 ${TOKEN}\r\n\r\n`);
    await send('POST /mcp', sessionLines(id), echoCall('x'));
  },
  'a backend with ids that cannot be used': async ({ send, id, backends }) => {
    for (const backend of backends)
      backend.answer = ({ res }) => res.setHeader('Mcp-Session-Id', `${id} x`).end('{}');
    await send('POST /mcp', [], INITIALIZE);
  },
  'an end': ({ send, id }) => send('DELETE /mcp', sessionLines(id)),
  'an end by hand': ({ gw, id }) => gw.sessions.end(id),
};

const principal = ({ headers }: IncomingMessage): string => {
  const user = headers['x-user'];
  if (user === 'fails') throw new Error('no such user');
  return user === undefined ? PRINCIPAL : String(user);
};

test.each(
  stacks.flatMap(({ app, proxy, name }) =>
    Object.entries(EVENTS).map(([what, happen]) => ({ app, proxy, name, what, happen })),
  ),
)('G1: $what is told of without ids, tokens and secrets ($name)', async (scene) => {
  const { app: express, proxy, happen } = scene;
  const told: unknown[] = warnings();
  const received: string[] = [];
  const note = (...event: unknown[]): void => void told.push(...event);
  const logger: Logger = { info: note, warn: note, error: note };
  const on: Required<SessionEvents> = {
    ...{ opened: note, recovered: note, ended: note, refused: note, storeFailed: note },
    ...{ backendDown: note, backendUp: note, discoveryFailed: note },
  };
  const backends = await scriptedBackends(2);
  const store = scriptedStore();
  const origins = backends.map(({ origin }) => origin);
  const options = {
    ...{ backends: origins, logger, on, principal, secret: SECRET },
    allowedOrigins: ['https://app.example'],
    cache: false as const,
    telemetry: {
      observe: () => ({
        ...{ decided: note, stored: note },
        requested: () => ({ decided: note, goesTo: note, opened: note, refused: note }),
      }),
    },
  };
  // The error page of Express shows the messages of errors.
  const gw = await gateway({ express, proxy, store, options });
  const send: Scene['send'] = async (line, lines, body = '') => {
    const head = [CLOSE, `Authorization: Bearer ${TOKEN}`, 'Content-Type: application/json'];
    const text = await rawHttp(gw.url, rawRequest(line, [...head, ...lines], body)).catch(String);
    received.push(text);
    return text;
  };
  const id = sessionIdIn(await send('POST /mcp', [], INITIALIZE)) ?? '';
  expect(id).not.toBe('');
  received.length = 0;
  await happen({ gw, backends, store, id, send });
  const reports = [...told, gw.sessions.stats(), gw.sessions.backends.list()];
  const everything = [
    ...reports.map((report) => inspect(report, { depth: 10 })),
    JSON.stringify([...store.kept]),
  ].join('\n');
  const secrets = [id, TOKEN, SECRET, 'ann-7c9e6679', 'guessed-7c9e6679'];
  expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  // Whoever asks has the id and the token; what they must not have are addresses.
  const addresses = origins.map((origin) => new URL(origin).port);
  expect(received.filter((text) => addresses.some((port) => text.includes(port)))).toEqual([]);
  expect(received.filter((text) => text.includes(SECRET))).toEqual([]);
});
