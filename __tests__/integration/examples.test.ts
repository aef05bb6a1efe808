import { once } from 'node:events';
import http from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { readSettings } from '../../examples/gateway-settings.ts';
import { openStream } from '../helpers/mcp-client.ts';
import { sharedRedisUrl } from '../helpers/redis-server.ts';
import { runExample, stopExamples, type RunningExample } from '../helpers/run-example.ts';
import { until } from '../helpers/until.ts';

// A start with three servers and twelve clients takes some seconds, more on a busy machine.
jest.setTimeout(120_000);

const LISTENING = /^listening on (http:\/\/127\.0\.0\.1:\d+\/mcp)$/m;
const servers: http.Server[] = [];

afterEach(async () => {
  await stopExamples();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

describe('an example that checks itself', () => {
  it('existing-gateway.ts keeps its other routes and gains sessions', async () => {
    const example = runExample('existing-gateway.ts');
    expect(await example.exited).toEqual({ code: 0, signal: null });
    expect(example.output()).toContain('ok  a session counts its calls');
    expect(example.output()).toContain('ok  other routes answer as before');
  });

  it('metrics.ts scrapes the same numbers in both ways', async () => {
    const example = runExample('metrics.ts');
    expect(await example.exited).toEqual({ code: 0, signal: null });
    expect(example.output().match(/^ok {2}/gm)).toHaveLength(3);
  });

  it.each(['redis.ts', 'connect-redis.ts'])(
    '%s goes on where another gateway began',
    async (file) => {
      const example = runExample(file, { REDIS_URL: await sharedRedisUrl() });
      expect(await example.exited).toEqual({ code: 0, signal: null });
      expect(example.output()).toContain('using the Redis of REDIS_URL');
      expect(example.output()).toContain('ok  30 of 30 calls on their own backend');
    },
  );

  it('replicas.ts serves all calls on the owner, and goes on when it is killed', async () => {
    const example = runExample('replicas.ts', { REDIS_URL: await sharedRedisUrl() });
    const exited = await example.exited;
    expect([exited, example.errors()]).toEqual([{ code: 0, signal: null }, '']);
    expect(example.output()).toContain('ok  300 of 300 calls on the owner');
    expect(example.output()).toMatch(
      /^ok {2}[1-9] clients of mcp-[abc], which was killed, were told 404$/m,
    );
    expect(example.output()).toContain('ok  they start again and work, and all others just go on');
  });

  it('redis.ts starts a Redis of its own when it is given none', async () => {
    const example = runExample('redis.ts');
    const exited = await example.exited;
    expect([exited, example.errors()]).toEqual([{ code: 0, signal: null }, '']);
    expect(example.output()).toMatch(/^started \S+ on port \d+/m);
  });
});

describe('gateway.ts without settings', () => {
  it.each(['', 'forward'])(
    'shows 30 of 30, serves real clients, and leaves nothing behind (PROXY=%s)',
    async (PROXY) => {
      const example = runExample('gateway.ts', { PORT: '0', PROXY });
      const url = await example.match(LISTENING);
      await example.match(/^ {2}curl .*(Mcp-Session-Id: nobody)/m);

      const output = example.output();
      expect(output.match(/^[\da-f]{12} {2}mcp-[abc] http:\S+ +5 of 5$/gm)).toHaveLength(6);
      expect(output).toMatch(
        /^30 of 30 calls on their own backend.* 3 of 3 backends hold sessions$/m,
      );
      const control = /^(\d+) of 30 .*plain round-robin proxy$/m.exec(output)?.[1];
      expect(Number(control)).toBeLessThan(30);
      expect(output.match(/^ {2}curl /gm)).toHaveLength(2);

      const client = new Client({ name: 'test', version: '1.0.0' });
      await client.connect(new StreamableHTTPClientTransport(new URL(url)));
      const answers = [await count(client), await count(client), await count(client)];
      expect(answers.map((answer) => answer.count)).toEqual([1, 2, 3]);

      const exited = await example.stop('SIGTERM');
      await client.close();
      expect(exited).toEqual({ code: 0, signal: null });
      expect(example.errors()).toBe('');
      const backends = new Set(output.match(/http:\/\/127\.0\.0\.1:\d+(?= )/g));
      expect(backends.size).toBe(3);
      for (const origin of [...backends, new URL(url).origin]) {
        await expect(accepts(origin)).resolves.toBe(false);
      }
    },
  );
});

/** A backend, and the URLs it is asked for. */
async function startRecorder(): Promise<{ backend: string; seen: unknown[] }> {
  const seen: unknown[] = [];
  const backend = await startBackend((req, res) => {
    seen.push(req.url);
    res.end();
  });
  return { backend, seen };
}

describe('gateway.ts in front of given backends', () => {
  it('passes path, query, Host and /.well-known on as they are', async () => {
    const backend = await startBackend((req, res) => res.end(`${req.url} ${req.headers.host}`));
    const { url } = await startGateway({ BACKENDS: backend, MCP_PATH: '/v1/mcp' });
    const { host, origin } = new URL(url);
    await expect(get(`${url}?a=%20b`)).resolves.toBe(`200 /v1/mcp?a=%20b ${host}`);
    await expect(get(`${origin}/.well-known/x?y`)).resolves.toBe(`200 /.well-known/x?y ${host}`);
    await expect(get(`${origin}/other`)).resolves.toMatch(/^404 /);
  });

  it('lets no path with dots reach another one', async () => {
    const { backend, seen } = await startRecorder();
    const { url } = await startGateway({ BACKENDS: backend });
    const { hostname, port } = new URL(url);
    for (const path of ['/.well-known/../admin', '/.well-known/%2e%2e/admin', '/mcp/../admin']) {
      const request = http.get({ hostname, port, path });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.resume();
      expect(response.statusCode).toBeGreaterThanOrEqual(400);
    }
    expect(seen).toEqual([]);
  });

  it('lets no POST reach another path by a session in its query that does not decide', async () => {
    const { backend, seen } = await startRecorder();
    const { url } = await startGateway({ BACKENDS: backend });
    const headers = { 'MCP-Protocol-Version': '2026-07-28', 'Content-Type': 'application/json' };
    const init = { method: 'POST', headers, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' };
    expect((await fetch(new URL('/admin?sessionId=x', url), init)).status).toBe(404);
    expect(seen).toEqual([]);
  });

  it.each([
    [{}, '/v1/messages', '/admin'],
    [{ MESSAGE_PATH: '/rpc' }, '/rpc', '/messages'],
  ])('takes POSTs of a session of HTTP+SSE at one path only: %j', async (env, path, other) => {
    const backend = await startBackend((req, res) => {
      if (req.method === 'POST') res.writeHead(202).end(req.url);
      else {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' });
        res.write(`event: endpoint\ndata: ${path}?sessionId=of-it\n\n`);
      }
    });
    const { url } = await startGateway({ BACKENDS: backend, ...env });
    const stream = await openStream({ url }, undefined, '/sse');
    await until(() => stream.text.includes('sessionId=of-it'));
    const post = async (to: string): Promise<number> => {
      const headers = { 'Content-Type': 'application/json' };
      const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
      const answer = await fetch(new URL(`${to}?sessionId=of-it`, url), {
        ...{ method: 'POST', headers, body },
      });
      return answer.status;
    };
    expect([await post(path), await post(other)]).toEqual([202, 404]);
  });

  it('answers an unknown session as it is told', async () => {
    const backend = await startBackend((_req, res) => res.end());
    const { url } = await startGateway({ BACKENDS: backend, UNKNOWN_SESSION_STATUS: '404' });
    const response = await fetch(url, { method: 'POST', headers: { 'mcp-session-id': 'nobody' } });
    expect(response.status).toBe(404);
  });

  it('shows its status page to who knows the password', async () => {
    const backend = await startBackend((_req, res) => res.end('served'));
    const { example, url } = await startGateway({
      BACKENDS: backend,
      STATUS_PATH: '/_mcp',
      STATUS_PASSWORD: 'long: enough, é',
    });
    const page = await example.match(/^status page: (\S+)$/m);
    expect(page).toBe(new URL('/_mcp', url).href);
    const asked = await fetch(page);
    expect(asked.status).toBe(401);
    expect(asked.headers.get('www-authenticate')).toContain('Basic');
    const credentials = (text: string): { authorization: string } => ({
      authorization: `Basic ${Buffer.from(text).toString('base64')}`,
    });
    for (const wrong of ['a:long', 'a:', '', 'long: enough, è'])
      expect((await fetch(page, { headers: credentials(wrong) })).status).toBe(401);
    const shown = await fetch(page, { headers: credentials('anybody:long: enough, é') });
    expect(await shown.text()).toContain('<h1>MCP sessions</h1>');
    await expect(get(url)).resolves.toBe('200 served');
  });

  it('says that Redis does not answer, and listens all the same', async () => {
    const backend = await startBackend((_req, res) => res.end('served'));
    const REDIS_URL = `redis://127.0.0.1:${await closedPort()}`;
    const { example, url } = await startGateway({ BACKENDS: backend, REDIS_URL });
    expect(example.errors()).toContain('the store does not answer');
    await expect(get(url)).resolves.toBe('200 served');
    expect(await example.stop('SIGINT')).toEqual({ code: 0, signal: null });
  });

  it('lets requests finish on SIGTERM, and cuts event streams', async () => {
    const held: http.ServerResponse[] = [];
    const backend = await startBackend((req, res) => {
      if (req.method === 'POST') held.push(res);
      else res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
    });
    const { example, url } = await startGateway({ BACKENDS: backend });

    const stream = await fetch(url, { headers: { accept: 'text/event-stream' } });
    const post = fetch(url, { method: 'POST', body: '{}' });
    while (held.length === 0) await accepts(url);
    const exited = example.stop('SIGTERM');
    await stream.text().catch(() => undefined);
    while (await accepts(url)) continue;
    held[0]?.end('finished');

    await expect((await post).text()).resolves.toBe('finished');
    expect(await exited).toEqual({ code: 0, signal: null });
  });

  it('names the port that is in use', async () => {
    const taken = await startBackend((_req, res) => res.end());
    const { port } = new URL(taken);
    const example = runExample('gateway.ts', { BACKENDS: taken, PORT: port });
    expect((await example.exited).code).toBe(1);
    expect(example.errors()).toBe(
      `gateway: 127.0.0.1:${port} is in use: give another PORT (0 picks a free one)\n`,
    );
  });
});

describe('gateway.ts with a setting that cannot be', () => {
  it('ends with one line', async () => {
    const example = runExample('gateway.ts', { PORT: 'abc' });
    expect((await example.exited).code).toBe(1);
    expect(example.errors()).toBe(
      'gateway: PORT=abc is not a port: give 0 to 65535 (0 picks a free one)\n',
    );
    expect(example.output()).toBe('');
  });

  it.each([
    ['PORT', '65536', 'give 0 to 65535'],
    ['UNKNOWN_SESSION_STATUS', '500', 'give 400 or 404'],
    ['SESSION_TTL_SECONDS', 'soon', 'give seconds'],
    ['SESSION_TTL_SECONDS', '0', 'give seconds'],
    ['BACKENDS', 'http://127.0.0.1:1/mcp', 'give http://127.0.0.1:1 and set MCP_PATH'],
    ['BACKENDS', 'localhost:1', 'give one such as http://mcp-0:8080'],
    ['BACKENDS', 'http://me:secret@host', 'give it without'],
    ['BACKENDS', ' , ', 'give http://mcp-0:8080,http://mcp-1:8080'],
    ['BACKENDS_FILE', '/nowhere.json', 'give a file that holds [{"id":"mcp-0","url":'],
    ['MCP_PATH', 'mcp', 'give one such as /mcp'],
    ['MCP_PATH', '/:any', 'give one such as /mcp'],
    ['MCP_PATH', '/a/../b', 'give one such as /mcp'],
    ['MESSAGE_PATH', 'messages', 'MESSAGE_PATH=messages is not a plain path'],
    ['REDIS_URL', 'localhost', 'give one such as redis://localhost:6379'],
    ['REDIS_SENTINELS', ' , ', 'give redis-0:26379,redis-1:26379'],
    ['REDIS_SENTINELS', 'sentinel-0', 'give one such as redis-0:26379'],
    ['REDIS_SENTINELS', 'redis://:secret@sentinel-0:1', 'the password as REDIS_PASSWORD'],
    ['REDIS_MASTER_NAME', 'main', 'give REDIS_SENTINELS too'],
    ['REDIS_CLUSTER', 'redis-0:70000', 'give one such as redis-0:6379'],
    ['REDIS_CLUSTER', 'redis-0:0', 'give one such as redis-0:6379'],
    ['REDIS_PASSWORD', 'secret', 'give it in REDIS_URL'],
    ['PROXY', 'nginx', 'give http-proxy-middleware'],
    ['STATUS_PATH', '/_mcp', 'needs a STATUS_PASSWORD of at least 12 characters'],
    ['STATUS_PATH', '_mcp', 'give one such as /mcp'],
    ['STATUS_PATH', '/', 'hides /mcp: give one such as /_mcp'],
    ['STATUS_PATH', '/mcp', 'hides /mcp: give one such as /_mcp'],
    ['STATUS_PATH', '/messages', 'hides /messages: give one such as /_mcp'],
    ['STATUS_PASSWORD', 'secret', 'give STATUS_PATH'],
  ])('names %s=%s and the remedy', (name, value, remedy) => {
    expect(() => readSettings({ [name]: value })).toThrow(name);
    expect(() => readSettings({ [name]: value })).toThrow(remedy);
    expect(() => readSettings({ [name]: value })).not.toThrow('secret');
  });

  it.each([
    { REDIS_URL: 'redis://a', REDIS_SENTINELS: 'a:1' },
    { REDIS_URL: 'redis://a', REDIS_CLUSTER: 'a:1' },
    { REDIS_SENTINELS: 'a:1', REDIS_CLUSTER: 'a:1' },
  ])('names two that exclude each other: %o', (env) => {
    const names = Object.keys(env).join(' and ');
    expect(() => readSettings(env)).toThrow(`${names} exclude each other: give the one`);
  });

  it('takes an empty one for none', () => {
    const settings = [
      ...['PORT', 'HOST', 'BACKENDS', 'BACKENDS_FILE', 'MCP_PATH', 'MESSAGE_PATH', 'PROXY'],
      ...['REDIS_URL', 'REDIS_SENTINELS', 'REDIS_MASTER_NAME', 'REDIS_CLUSTER', 'REDIS_PASSWORD'],
      ...['STATUS_PATH', 'STATUS_PASSWORD'],
    ];
    const env = Object.fromEntries(settings.map((name) => [name, '']));
    expect(readSettings(env)).toEqual({
      port: 3000,
      host: '127.0.0.1',
      mcpPath: '/mcp',
      proxy: 'http-proxy-middleware',
      sessionOptions: {},
    });
  });
});

describe('gateway.ts with a Redis', () => {
  it.each([
    [{ REDIS_URL: 'rediss://a:1' }, { kind: 'server', url: 'rediss://a:1' }],
    [
      { REDIS_SENTINELS: 'a:1, [::1]:2', REDIS_PASSWORD: 'b' },
      {
        kind: 'sentinels',
        sentinels: [
          { host: 'a', port: 1 },
          { host: '::1', port: 2 },
        ],
        name: 'mymaster',
        password: 'b',
      },
    ],
    [
      { REDIS_SENTINELS: 'a:1', REDIS_MASTER_NAME: 'main' },
      { kind: 'sentinels', sentinels: [{ host: 'a', port: 1 }], name: 'main' },
    ],
    [{ REDIS_CLUSTER: 'a:1' }, { kind: 'cluster', nodes: [{ host: 'a', port: 1 }] }],
  ])('takes %o', (env, redis) => {
    expect(readSettings(env).redis).toEqual(redis);
  });
});

async function startGateway(
  env: Record<string, string>,
): Promise<{ example: RunningExample; url: string }> {
  const example = runExample('gateway.ts', { PORT: '0', ...env });
  return { example, url: await example.match(/^listening on (\S+)$/m) };
}

async function startBackend(listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closedPort(): Promise<number> {
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function get(url: string): Promise<string> {
  const response = await fetch(url);
  return `${response.status} ${await response.text()}`;
}

/** Does anybody accept a connection there? */
function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.destroy());
    socket.once('error', () => resolve(false));
    socket.once('close', (hadError) => resolve(!hadError));
  });
}

async function count(client: Client): Promise<{ instance: string; count: number }> {
  const { content } = await client.callTool({ name: 'count' });
  const [first] = content as { text: string }[];
  return JSON.parse(first?.text ?? '') as { instance: string; count: number };
}
