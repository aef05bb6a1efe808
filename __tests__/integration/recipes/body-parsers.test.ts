import { beforeAll, describe, expect, test } from '@jest/globals';
import { startForAll } from '../../helpers/cleanup.ts';
import { openSession, ofSession, post } from '../../helpers/mcp-client.ts';
import { runRecipe } from '../../helpers/run-recipe.ts';
import { scriptedBackends, type ScriptedBackend } from '../../helpers/scripted-backend.ts';

/** Whoever writes this anew changes it. */
const BODY =
  '{"jsonrpc": "2.0", "id":12345678901234567890,"method":"a","method":"tools/list","params":{"x":"\\u00fc"}}';
const REWRITTEN =
  '{"jsonrpc":"2.0","id":12345678901234567000,"method":"tools/list","params":{"x":"ü"}}';

const KEEPS_BYTES =
  '    verify: (req, _res, bytes) => void Object.assign(req, { rawBody: bytes }),\n';
const LIMIT = "    limit: '4mb', // what SDK servers take\n";

interface Gateway {
  readonly url: string;
  /** A new session, and the body of the first request that its server gets of it. */
  readonly open: () => Promise<{ id: string; received: () => Promise<string> }>;
}

async function start(block: number, without: readonly string[] = []): Promise<Gateway> {
  const backends = await scriptedBackends(2);
  const [zero, one] = backends as [ScriptedBackend, ScriptedBackend];
  const addresses = { 'http://mcp-0:8080': zero.origin, 'http://mcp-1:8080': one.origin };
  const lines = Object.fromEntries(without.map((line) => [line, '']));
  const { origin: url } = await runRecipe('body-parsers', {
    ...{ block, replace: { ...addresses, ...lines } },
  });
  const open: Gateway['open'] = async () => {
    const id = await openSession({ url });
    const owner = zero.sessions.has(id) ? zero : one;
    const hit = owner.hitWhere(({ headers }) => headers['mcp-session-id'] === id);
    return { id, received: async () => (await hit).body.toString() };
  };
  return { url, open };
}

const gateways: Gateway[] = [];
beforeAll(() =>
  startForAll(async () => void gateways.push(...(await Promise.all([start(0), start(1)])))),
);

describe.each([
  ['a parser that keeps the bytes', 0],
  ['the parser behind the proxy', 1],
])('with %s', (_, block) => {
  test('the server gets the very bytes', async () => {
    const { url, open } = gateways[block] as Gateway;
    const { id, received } = await open();
    expect((await post({ url }, BODY, ofSession(id))).status).toBe(200);
    expect(await received()).toBe(BODY);
  });

  test('a message of 2 MB passes', async () => {
    const { url, open } = gateways[block] as Gateway;
    const { id, received } = await open();
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x', params: 'x'.repeat(2e6) });
    expect((await post({ url }, body, ofSession(id))).status).toBe(200);
    expect((await received()).length).toBe(body.length);
  });
});

test('what a parsed body shows can be forbidden, in a list too', async () => {
  const { url, open } = gateways[0] as Gateway;
  const { id } = await open();
  const message =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete-everything"}}';
  for (const body of [message, `[${message}]`])
    expect((await post({ url }, body, ofSession(id))).status).toBe(403);
});

test('without the bytes the server gets JSON that was written anew', async () => {
  const { url, open } = await start(0, [KEEPS_BYTES]);
  const { id, received } = await open();
  await post({ url }, BODY, ofSession(id));
  expect(await received()).toBe(REWRITTEN);
});

test('without a limit of its own the parser refuses more than 100 kB', async () => {
  const { url, open } = await start(0, [LIMIT]);
  const { id } = await open();
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x', params: 'x'.repeat(110_000) });
  expect((await post({ url }, body, ofSession(id))).status).toBe(413);
});

test('other routes have their parsed body', async () => {
  const { url } = gateways[1] as Gateway;
  expect((await post({ url }, '{"a": 1}', {}, '/echo')).text).toBe('{"a":1}');
});
