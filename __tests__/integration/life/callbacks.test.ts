import { describe, expect, test } from '@jest/globals';
import type { McpSessionRoutingOptions } from '../../../src/index.ts';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import { call, initialize, openSession, openStream } from '../../helpers/mcp-client.ts';
import { scriptedBackend, type Answer } from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import { until } from '../../helpers/until.ts';
import { warnings } from '../../helpers/warnings.ts';

const MISTAKE = 'Error: mistake of the user';

/** What TypeScript refuses and JavaScript does not: an async function in place of one that answers at once. */
const rejects = (): never => Promise.reject(new Error('mistake of the user')) as never;
const throws = (): never => {
  throw new Error('mistake of the user');
};

async function gatewayWith(
  options: McpSessionRoutingOptions,
  answer?: Answer,
): Promise<Gateway & { readonly errors: unknown[] }> {
  const backend = await scriptedBackend(answer);
  const errors: unknown[] = [];
  const started = await gateway({
    options: { backends: backend.origin, ...options },
    after: (app) => {
      app.use((error: unknown, _req: unknown, _res: unknown, next: (error: unknown) => void) => {
        errors.push(error);
        next(error);
      });
    },
  });
  return Object.assign(started, { errors });
}

describe('G2: a callback of the app that is async and rejects', () => {
  test.each<[string, McpSessionRoutingOptions]>([
    ['on', { on: { opened: rejects, ended: rejects, refused: rejects, storeFailed: rejects } }],
    ['logger', { logger: { info: rejects, warn: rejects, error: rejects } }],
  ])('changes nothing, and is told as a warning (%s)', async (name, options) => {
    const warned = warnings();
    const at = await gatewayWith(options);
    const id = await openSession(at);
    expect(await at.sessions.end(id)).toBe(true);
    expect((await call(at, id)).status).toBe(404);
    await until(() => warned.length === (name === 'on' ? 3 : 2));
    expect(new Set(warned)).toEqual(new Set([MISTAKE]));
  });

  test('as balance reaches next(err), which says what to do', async () => {
    const at = await gatewayWith({ balance: rejects });
    expect((await initialize(at)).status).toBe(500);
    expect(at.errors).toMatchObject([
      { code: 'invalid_option', message: expect.stringContaining('balance: returned a promise') },
    ]);
  });

  test('as skip skips nothing, which is told once', async () => {
    const warned = warnings();
    const at = await gatewayWith({ skip: rejects });
    const id = await openSession(at);
    expect((await call(at, id)).status).toBe(200);
    expect(warned).toEqual([expect.stringContaining('"skip" must say true or false at once')]);
  });
});

test('a skip that throws reaches next(err)', async () => {
  const at = await gatewayWith({ skip: throws });
  expect((await initialize(at)).status).toBe(500);
  expect(String(at.errors)).toBe(MISTAKE);
});

describe('C5: lostSession', () => {
  const unprocessable: Answer = ({ headers, res }) =>
    headers['mcp-session-id'] === undefined ? false : res.writeHead(422).end('{"error":{}}');

  test.each<[string, () => never, string]>([
    ['that throws', throws, MISTAKE],
    ['that is async and rejects', rejects, '"lostSession" must say true or false at once'],
    [
      'that is async',
      async function says() {
        return true;
      } as () => never,
      '"lostSession" must say true or false at once',
    ],
    ['that says something else than true', (() => 'yes') as () => never, ''],
  ])('%s lets the answer pass and ends nothing', async (_what, lostSession, warning) => {
    const warned = warnings();
    const at = await gatewayWith({ lostSession }, unprocessable);
    const id = await openSession(at);
    for (const _again of [1, 2]) {
      expect(await call(at, id)).toMatchObject({ status: 422, text: '{"error":{}}' });
    }
    expect(warned.join('\n')).toContain(warning);
  });

  test('that says true ends the session', async () => {
    const at = await gatewayWith({ lostSession: (status) => status === 422 }, unprocessable);
    expect((await call(at, await openSession(at))).status).toBe(404);
  });
});

describe('C6: end of what is no session id', () => {
  test.each([undefined, null, 5, {}, Symbol('id'), '', 'a b'])('%p ends nothing', async (id) => {
    const at = await gatewayWith({});
    await openSession(at);
    expect(await at.sessions.end(id as string)).toBe(false);
  });
});

test('G2, A10: an open stream whose record throws at whoever looks at it ends no process', async () => {
  const backend = await scriptedBackend();
  const store = scriptedStore();
  const options = { backends: backend.origin, ttl: 200, cache: { maxAge: 1 } };
  const at = await gateway({ store, options });
  const id = await openSession(at);
  await openStream(at, id);
  const traps = { getOwnPropertyDescriptor: throws };
  store.getWithExpiry = async () => ({ record: new Proxy({}, traps), expiresIn: 1e9 });
  await until(() => at.sessions.stats().unusableRecords > 0);
  expect((await call(at, id)).status).toBe(404);
});
