import http from 'node:http';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { onCleanup, startForAll } from '../../helpers/cleanup.ts';
import {
  addressesOf,
  countingClient,
  counterServers,
  type CounterServer,
  type CountingClient,
} from '../../helpers/counter-server.ts';
import { listen } from '../../helpers/listen.ts';
import { call, initialize, ofSession, post, TOOLS_LIST } from '../../helpers/mcp-client.ts';
import { runRecipe } from '../../helpers/run-recipe.ts';

const RESOURCE = 'https://gateway.example.com/mcp';
const ISSUER = 'https://auth.example.com';
const TOKENS: Record<string, object> = {
  'ann-1': tokenOf('ann'),
  'ann-2': tokenOf('ann'),
  'bob-1': tokenOf('bob'),
  other: { ...tokenOf('ann'), aud: 'https://elsewhere.example.com/mcp' },
  old: { ...tokenOf('ann'), exp: 1 },
  'no-subject': { ...tokenOf(''), sub: '' },
};

let servers: CounterServer[];
let url: string;

beforeAll(() =>
  startForAll(async () => {
    servers = await counterServers(2);
    const replace = {
      ...addressesOf(servers),
      [`'${ISSUER}/introspect'`]: `'${await authorizationServer()}/introspect'`,
    };
    url = (await runRecipe('authentication', { replace })).origin;
  }),
);

beforeEach(() => {
  for (const { heads } of servers) heads.length = 0;
});

async function opened(token: string): Promise<CountingClient> {
  const client = countingClient(url);
  client.headers = bearer(token);
  await client.open();
  await client.listening();
  return client;
}

test.each([undefined, 'nobody-knows-it', 'other', 'old', 'no-subject'])(
  'the token %s is refused by 401, before any server is asked',
  async (token) => {
    const answer = await initialize({ url }, token === undefined ? {} : bearer(token));
    expect(answer.status).toBe(401);
    const { origin, pathname } = new URL('/.well-known/oauth-protected-resource/mcp', RESOURCE);
    expect(answer.get('WWW-Authenticate')).toContain(`resource_metadata="${origin}${pathname}"`);
    expect(await (await fetch(url + pathname)).json()).toEqual({
      resource: RESOURCE,
      authorization_servers: [ISSUER],
    });
    expect(servers.flatMap(({ heads }) => heads)).toEqual([]);
  },
);

test('a session goes on with a new token of the same user', async () => {
  const client = await opened('ann-1');
  expect(await client.count()).toMatch(/ 1$/);
  client.headers = bearer('ann-2');
  expect(await client.count()).toMatch(/ 2$/);
});

test("somebody else's session is answered like one that never was", async () => {
  const id = (await opened('ann-1')).session() ?? '';
  const asked = servers.flatMap(({ heads }) => heads).length;
  const theirs = await call({ url }, id).set(bearer('bob-1'));
  const unknown = await call({ url }, 'never-issued').set(bearer('bob-1'));
  expect([theirs.status, theirs.text]).toEqual([404, unknown.text]);
  expect(servers.flatMap(({ heads }) => heads)).toHaveLength(asked);
});

test('a server learns the user, not the token, and not what the client calls itself', async () => {
  const id = (await opened('ann-1')).session() ?? '';
  const headers = { ...ofSession(id), ...bearer('ann-1'), 'X-User': 'root' };
  const accept = { Accept: 'application/json, text/event-stream' };
  expect((await post({ url }, TOOLS_LIST, { ...headers, ...accept })).status).toBe(200);
  const heads = servers.flatMap((server) => server.heads);
  expect(heads.length).toBeGreaterThan(2);
  expect(heads.map((head) => head.authorization ?? 'none')).toEqual(heads.map(() => 'none'));
  expect(heads.map((head) => head['x-user'])).toEqual(heads.map(() => `${ISSUER} ann`));
});

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

function tokenOf(sub: string): object {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return { active: true, client_id: 'app', scope: 'mcp', exp, aud: RESOURCE, iss: ISSUER, sub };
}

/** Answers `POST /introspect` (RFC 7662). */
async function authorizationServer(): Promise<string> {
  const server = http.createServer((req, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (text: string) => (body += text));
    req.on('end', () => {
      const token = new URLSearchParams(body).get('token') ?? '';
      res.end(JSON.stringify(TOKENS[token] ?? { active: false }));
    });
  });
  const listening = await listen(server);
  onCleanup(() => listening.close());
  return listening.origin;
}
