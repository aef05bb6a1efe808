import type { IncomingMessage } from 'node:http';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryStore } from '../../src/index.ts';
import { gateway, type Gateway } from '../helpers/gateway.ts';
import { echoCall, initialize, INITIALIZE, openSession, post } from '../helpers/mcp-client.ts';
import { stacks } from '../helpers/pairings.ts';
import { parseRaw, rawHttp, rawRequest } from '../helpers/raw-http.ts';
import { sessionLines } from '../helpers/raw-mcp.ts';
import { expectRefusal } from '../helpers/refusal.ts';
import { scriptedBackend, type ScriptedBackend } from '../helpers/scripted-backend.ts';
import { keyOf } from '../helpers/scripted-store.ts';
import { TouchedStore } from '../helpers/touched-store.ts';
import { warnings } from '../helpers/warnings.ts';

type Lines = readonly string[];

/** As an app would have authenticated it: of a token "user.serial" the user. */
const principal = ({ headers }: IncomingMessage): string | undefined =>
  headers.authorization?.split(' ')[1]?.split('.')[0];

const by = (token: string | undefined): Lines =>
  token === undefined ? [] : [`Authorization: Bearer ${token}`];

const CLOSE = 'Connection: close';
const ASKED: readonly (readonly [string, string])[] = [
  ['POST', echoCall('x')],
  ['POST', '{"jsonrpc":"2.0","method":"notifications/initialized"}'],
  ['POST', '[{"jsonrpc":"2.0","id":"a","method":"ping"}]'],
  ['POST', 'no JSON'],
  ['GET', ''],
  ['DELETE', ''],
  ['OPTIONS', ''],
];

describe.each(stacks)('a session is for its principal ($name)', ({ app: express, proxy }) => {
  let backend: ScriptedBackend;
  let store: MemoryStore;
  let gw: Gateway;

  beforeEach(async () => {
    backend = await scriptedBackend();
    store = new MemoryStore();
    const options = { backends: backend.origin, principal };
    gw = await gateway({ express, proxy, store, options });
  });

  async function opened(token: string | undefined): Promise<string> {
    const answer = parseRaw(
      await rawHttp(gw.url, rawRequest('POST /mcp', [CLOSE, ...by(token)], INITIALIZE)),
    );
    expect(answer.status).toBe(200);
    return answer.header('mcp-session-id') ?? '';
  }

  /** The answer as it stands, but for its date. */
  async function asked(
    id: string,
    token: string | undefined,
    [method, body]: readonly [string, string] = ['POST', echoCall('x')],
  ): Promise<string> {
    const lines = [...sessionLines(id), ...by(token), CLOSE, 'Accept: text/event-stream'];
    const text = await rawHttp(gw.url, rawRequest(`${method} /mcp`, lines, body));
    return text.replace(/^Date: .*\r\n/im, '');
  }

  const unknown = (id: string): string => id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));

  test.each(ASKED)('A11: to another one it was never issued: %s %s', async (...request) => {
    const id = await opened('ann.1');
    const before = backend.hits.length;
    for (const token of ['bob.1', undefined]) {
      const answer = await asked(id, token, request);
      expect(answer).toBe(await asked(unknown(id), token, request));
      expect(answer).toMatch(/^HTTP\/1.1 400 /);
    }
    expect(backend.hits).toHaveLength(before);
  });

  test('A11: a renewed token of the same principal keeps the session', async () => {
    const id = await opened('ann.1');
    for (const token of ['ann.1', 'ann.2', 'ann.3'])
      expect(await asked(id, token)).toMatch(/^HTTP\/1.1 200 /);
  });

  test('A11: what nobody in particular has opened is not for somebody, nor the other way round', async () => {
    const anonymous = await opened(undefined);
    const named = await opened('ann.1');
    expect(await asked(anonymous, undefined)).toMatch(/^HTTP\/1.1 200 /);
    expect(await asked(named, 'ann.1')).toMatch(/^HTTP\/1.1 200 /);
    expect(await asked(anonymous, 'ann.1')).toBe(await asked(unknown(anonymous), 'ann.1'));
    expect(await asked(named, undefined)).toBe(await asked(unknown(named), undefined));
  });

  test('A11: to another one it was never issued when it is over, either', async () => {
    const id = await opened('ann.1');
    expect(await asked(id, 'ann.1', ['DELETE', ''])).toMatch(/^HTTP\/1.1 200 /);
    for (const request of ASKED) {
      expect(await asked(id, 'bob.1', request)).toBe(await asked(unknown(id), 'bob.1', request));
      expect(await asked(id, 'ann.1', request)).toMatch(/^HTTP\/1.1 404 /);
    }
  });

  test('A11: initialize with the id of another one opens a session of its own', async () => {
    const id = await opened('ann.1');
    const headers = { 'Mcp-Session-Id': id, Authorization: 'Bearer bob.1' };
    const own = (await initialize(gw, headers).expect(200)).get('Mcp-Session-Id') ?? '';
    expect(own).not.toBe(id);
    expect(await asked(own, 'bob.1')).toMatch(/^HTTP\/1.1 200 /);
    expect(await asked(id, 'ann.1')).toMatch(/^HTTP\/1.1 200 /);
  });

  test('A11: a backend that gives one principal the id of another one’s session is not believed', async () => {
    const id = await opened('ann.1');
    backend.answer = ({ res, body }) =>
      body.includes('initialize') ? res.setHeader('Mcp-Session-Id', id).end('{}') : false;
    expectRefusal(
      await initialize(gw, { Authorization: 'Bearer bob.1' }),
      'invalid_backend_answer',
    );
    await initialize(gw, { Authorization: 'Bearer ann.2' }).expect(200);
    backend.answer = undefined;
    expect(await asked(id, 'bob.1')).toMatch(/^HTTP\/1.1 400 /);
    expect(await asked(id, 'ann.1')).toMatch(/^HTTP\/1.1 200 /);
  });

  test('A11: another one does not keep it alive', async () => {
    const clocked = new TouchedStore();
    const options = { backends: backend.origin, principal };
    gw = await gateway({ express, proxy, store: clocked, options });
    const id = await opened('ann.1');
    for (const token of ['bob.1', undefined]) await asked(id, token);
    expect(clocked.touches).toBe(0);
    await asked(id, 'ann.1');
    expect(clocked.touches).toBe(1);
  });

  test('G1: what is stored tells neither the id nor the principal, nor which sessions are of one', async () => {
    const ids = [await opened('ann.1'), await opened('ann.1')];
    const records = ids.map((id) => store.getWithExpiry(keyOf(id))?.record);
    const marks = records.map((record) => Reflect.get(Object(record), 'principal') as unknown);
    expect(marks[0]).toMatch(/^[\w-]{43}$/);
    expect(marks[0]).not.toBe(marks[1]);
    const text = JSON.stringify(records);
    for (const secret of [...ids, 'ann']) expect(text).not.toContain(secret);
  });
});

describe.each(stacks)('who sends a request ($name)', ({ app: express, proxy }) => {
  let backend: ScriptedBackend;

  async function start(asks: (req: IncomingMessage) => unknown): Promise<Gateway> {
    backend = await scriptedBackend();
    const options = { backends: backend.origin, principal: asks as typeof principal };
    return gateway({ express, proxy, options });
  }

  test.each<[string, (req: IncomingMessage) => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no such claim');
      },
    ],
    ['is an empty string', () => ''],
    ['is a number', () => 7],
    ['is a promise', async () => Promise.reject(new Error('later'))],
    ['is a promise of another realm', () => runInNewContext('Promise.reject(new Error())')],
  ])('where it %s nothing is opened, and no session is found', async (_what, asks) => {
    const warned = warnings();
    const gw = await start(asks);
    expectRefusal(await initialize(gw), 'principal_failed');
    expectRefusal(await post(gw, echoCall('x'), { 'Mcp-Session-Id': 'x' }), 'principal_failed', {
      id: '2',
    });
    expect(backend.hits).toEqual([]);
    expect(warned.length).toBeGreaterThan(0);
  });

  test('is nobody in particular where it is null or undefined', async () => {
    let nobody: unknown;
    const gw = await start(() => nobody);
    const id = await openSession(gw);
    nobody = null;
    const answer = await post(gw, echoCall('x'), { 'Mcp-Session-Id': id });
    expect(answer.status).toBe(200);
  });

  test('is not asked of requests that belong to no session, and open none', async () => {
    let asks = 0;
    const gw = await start(() => void (asks += 1));
    await rawHttp(gw.url, rawRequest('GET /.well-known/x', [CLOSE]));
    const modern = { 'MCP-Protocol-Version': '2026-07-28' };
    await post(gw, echoCall('x'), modern).expect(200);
    expect(asks).toBe(0);
  });
});
