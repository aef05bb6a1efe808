import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { backendsFile } from '../../helpers/backends-file.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import { backendFlags, NO_VARIABLES, outcomeOf, runGateway } from '../../helpers/command-line.ts';
import { startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren, startChild, type Child } from '../../helpers/e2e-children.ts';
import { listen } from '../../helpers/listen.ts';
import {
  call,
  initialize,
  openSession,
  openSessions,
  openStream,
  terminate,
  type Addressed,
} from '../../helpers/mcp-client.ts';
import { sharedRedisUrl, startRedis } from '../../helpers/redis-server.ts';
import { scriptedBackend, scriptedBackends } from '../../helpers/scripted-backend.ts';
import { ask, pressing, watch } from '../../helpers/status-page.ts';
import { tcpBalancer } from '../../helpers/tcp-balancer.ts';
import { until } from '../../helpers/until.ts';

afterEach(killChildren);

/** The command in a process of its own. */
async function gatewayProcess(
  env: Readonly<Record<string, string>>,
  ...flags: readonly string[]
): Promise<{ readonly child: Child; readonly gw: Addressed }> {
  const child = startChild(['src/cli/main.ts', 'gateway', '--port', '0', ...flags], {
    ...NO_VARIABLES,
    ...env,
  });
  const { origin } = new URL(await child.printed(/^listening on (\S+)$/m));
  return { child, gw: { url: origin } };
}

const at = ({ url }: { readonly url: string }): Addressed => ({ url: new URL(url).origin });

describe('the command gateway', () => {
  it('sends every request of a session to its backend', async () => {
    const backends = await scriptedBackends(3);
    const gw = at(await runGateway(...backendFlags(backends.map(({ origin }) => origin))));
    const ids = await openSessions(gw, 6);
    for (const id of ids) expect((await call(gw, id)).text).toContain(`"${id.slice(0, 1)}: hello"`);
    expect(backends.map(({ sessions }) => sessions.size)).toEqual([2, 2, 2]);
    expect((await call(gw, 'nobody')).status).toBe(400);
    await terminate(gw, ids[0] ?? '').expect(200);
    expect((await call(gw, ids[0] ?? '')).status).toBe(404);
  });

  it('passes path, query and /.well-known on as they are, and nothing else', async () => {
    const backend = await scriptedBackend(({ url, res }) => res.end(url));
    const { url } = await runGateway('--backend', backend.origin, '--path', '/v1/mcp');
    const { origin } = new URL(url);
    const get = async (to: string): Promise<string> => (await fetch(to)).text();
    expect(await get(`${url}?a=%20b`)).toBe('/v1/mcp?a=%20b');
    expect(await get(`${url}/`)).toBe('/v1/mcp/');
    expect(await get(`${origin}/.well-known/x?y`)).toBe('/.well-known/x?y');
    const other = await fetch(`${origin}/other`);
    expect(other.status).toBe(404);
    // The body of a request is not read, and would stand before the next one.
    expect(other.headers.get('connection')).toBe('close');
    expect(await other.text()).toBe('Not found: the MCP endpoint of this gateway is /v1/mcp\n');
  });

  it('lets no path with dots reach another one', async () => {
    const backend = await scriptedBackend();
    const { port } = await runGateway('--backend', backend.origin);
    for (const path of ['/.well-known/../admin', '/.well-known/%2e%2e/admin', '/mcp/../admin']) {
      const request = http.get({ host: '127.0.0.1', port, path });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.resume();
      expect(response.statusCode).toBeGreaterThanOrEqual(400);
    }
    expect(backend.hits).toEqual([]);
  });

  it('lets no POST reach another path by a session in its query that does not decide', async () => {
    const backend = await scriptedBackend();
    const gw = at(await runGateway('--backend', backend.origin));
    const id = await openSession(gw);
    const before = backend.hits.length;
    const named: Record<string, string>[] = [
      { 'Mcp-Session-Id': id, 'MCP-Protocol-Version': '2025-11-25' },
      { 'Mcp-Session-Id': 'nobody' },
      { 'MCP-Protocol-Version': '2026-07-28' },
    ];
    for (const headers of named) {
      const body = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}';
      const init = {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body,
      };
      expect((await fetch(`${gw.url}/admin?sessionId=x`, init)).status).toBe(404);
    }
    expect(backend.hits.length).toBe(before);
  });

  it.each<[string, readonly string[], string, readonly string[]]>([
    [
      'where messages usually are',
      [],
      '/v1/messages/',
      ['/admin', '/messages/all', '/allmessages', '/messages;/x'],
    ],
    [
      'where it is told',
      ['--message-path', '/rpc'],
      '/rpc',
      ['/admin', '/messages', '/rpc/x', '/RPC'],
    ],
  ])('takes POSTs of a session of HTTP+SSE %s only', async (_, flags, path, others) => {
    const backend = await scriptedBackend(({ method, url, res }) => {
      if (method === 'POST') return res.writeHead(202).end(url);
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      return res.write(`event: endpoint\ndata: ${path}?sessionId=of-it\n\n`);
    });
    const gw = at(await runGateway('--backend', backend.origin, ...flags));
    const stream = await openStream(gw, undefined, '/sse');
    await until(() => stream.text.includes('sessionId=of-it'));
    const post = async (to: string): Promise<string> => {
      const headers = { 'Content-Type': 'application/json' };
      const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
      const url = `${gw.url}${to}?sessionId=of-it`;
      const answer = await fetch(url, { method: 'POST', headers, body });
      return `${answer.status} ${await answer.text()}`;
    };
    expect(await post(path)).toBe(`202 ${path}?sessionId=of-it`);
    for (const other of others) expect(await post(other)).toMatch(/^404 [^]*--message-path\n$/);
    expect(backend.hits.map(({ url }) => url)).toEqual(['/sse', `${path}?sessionId=of-it`]);
  });

  it('serves HTTP+SSE to a real client', async () => {
    const backends = await startBackends('every era', { ERA: 'legacy' });
    onCleanup(() => backends.stop());
    const { url } = await runGateway(...backendFlags(backends.origins.values()));
    const client = new Client({ name: 'test', version: '1.0.0' });
    await client.connect(new SSEClientTransport(new URL('/sse', url)));
    onCleanup(() => client.close());
    for (let turn = 0; turn < 3; turn += 1) expect(await client.ping()).toEqual({});
  });

  it('heeds what it is told of sessions and origins', async () => {
    const backend = await scriptedBackend();
    const flags = ['--unknown-session-status', '404', '--allowed-origin', 'https://a.example'];
    const command = await runGateway('--backend', backend.origin, '--log-sessions', ...flags);
    const gw = at(command);
    expect((await call(gw, 'nobody')).status).toBe(404);
    expect((await initialize(gw, { Origin: 'https://b.example' })).status).toBe(403);
    const id = await openSession(gw);
    await terminate(gw, id).expect(200);
    expect(command.err()).toMatch(/^gateway: session [\da-f]{12} opened on http:\S+$/m);
    expect(command.err()).toMatch(/^gateway: session [\da-f]{12} ended$/m);
    expect(command.err()).not.toContain(id);
  });

  it('opens a lost session anew if it is told to', async () => {
    const [a, b] = await scriptedBackends(2);
    if (!a || !b) throw new RangeError('two backends');
    const gw = at(await runGateway(...backendFlags([a.origin, b.origin]), '--recover'));
    const id = await openSession(gw);
    await a.refuse();
    expect((await call(gw, id)).text).toContain('"b: hello"');
  });

  it('tells backends of the client if it is told to', async () => {
    const backend = await scriptedBackend();
    const gw = at(await runGateway('--backend', backend.origin, '--xfwd', '--change-origin'));
    await initialize(gw, { 'X-Forwarded-For': '1.2.3.4' });
    const { headers } = await backend.hit(0);
    expect(headers['x-forwarded-for']).toMatch(/127\.0\.0\.1$/);
    expect(`http://${headers.host}`).toBe(backend.origin);
  });

  it('follows its file of backends, and says what is wrong with it', async () => {
    const [a, b] = await scriptedBackends(2);
    if (!a || !b) throw new RangeError('two backends');
    const file = backendsFile([{ id: 'a', url: a.origin }]);
    const command = await runGateway('--backends-file', file.path);
    const gw = at(command);
    const id = await openSession(gw);
    file.write('[');
    await until(() => /^gateway: .*; the servers stay as they were$/m.test(command.err()));
    expect((await call(gw, id)).status).toBe(200);
    file.write([{ id: 'b', url: b.origin }]);
    await until(async () => (await openSession(gw)).startsWith('b-'));
    expect((await call(gw, id)).status).toBe(404);
  });

  it('has a status page behind a password, if it is told to', async () => {
    const [a, b] = await scriptedBackends(2);
    if (!a || !b) throw new RangeError('two backends');
    const password = 'nobody guesses: this';
    const flags = ['--status-path', '/_mcp', '--status-password', password];
    const command = await runGateway(...backendFlags([a.origin, b.origin]), ...flags);
    const gw = at(command);
    expect(command.out()).toContain(`status page: ${gw.url}/_mcp\n`);
    const by = (words: string): { Authorization: string } => ({
      Authorization: `Basic ${Buffer.from(words).toString('base64')}`,
    });
    const right = by(`anybody:${password}`);
    for (const headers of [{}, by('anybody:'), by(`x:${password}!`), by('x:nobody guesses')]) {
      for (const path of ['/_mcp', '/_mcp/', '/_mcp/events', '/_mcp/drain?sessionId=1']) {
        const refused = await ask(gw.url, path, { headers });
        expect([refused.status, refused.headers['www-authenticate']]).toEqual([
          401,
          'Basic realm="status", charset="UTF-8"',
        ]);
      }
    }
    for (const path of ['/_mcp', '/_mcp/', '/_mcp?x']) {
      const page = await ask(gw.url, path, { headers: right });
      expect([page.status, page.headers['content-type']]).toEqual([
        200,
        'text/html; charset=utf-8',
      ]);
    }
    expect((await ask(gw.url, '/_mcpx', { headers: right })).status).toBe(404);

    const watching = await watch(gw.url, right, '/_mcp/events');
    await openSession(gw);
    await until(() => watching.latest().numbers.opened === 1);
    const press = pressing(gw.url, a.origin, watching.latest().gateway.id);
    const pressed = await ask(gw.url, '/_mcp/drain', {
      ...press,
      headers: { ...press.headers, ...right },
    });
    expect(pressed.status).toBe(204);
    await until(() => watching.latest().backends[0]?.state === 'draining');
    expect(await openSession(gw)).toMatch(/^b-/);
    expect([...a.hits, ...b.hits].filter(({ url }) => url.includes('_mcp'))).toEqual([]);

    await command.stop();
    await watching.closed;
    expect(command.out() + command.err()).not.toContain(password);
  });

  it('says when a backend is down, and when it is up again', async () => {
    const backend = await scriptedBackend();
    const command = await runGateway('--backend', backend.origin);
    await backend.refuse();
    expect((await initialize(at(command))).status).toBe(503);
    expect(command.err()).toContain(`gateway: ${backend.origin} is down\n`);
    await backend.reopen();
    await until(() => command.err().includes(`gateway: ${backend.origin} is up again\n`));
  });

  it('lets requests finish when it is stopped, ends streams, and exits with 0', async () => {
    const held: http.ServerResponse[] = [];
    const backend = await scriptedBackend(
      ({ body, res }) => body.includes('held') && held.push(res),
    );
    const command = await runGateway('--backend', backend.origin, '--drain', '60');
    const gw = at(command);
    const id = await openSession(gw);
    const stream = await openStream(gw, id);
    const answer = call(gw, id, 'held').then(({ text }) => text);
    await until(() => held.length === 1);
    const ended = command.stop();
    await stream.closed;
    await until(async () => (await fetch(command.url).catch(() => undefined)) === undefined);
    held[0]?.end('finished');
    expect(await answer).toBe('finished');
    expect(await ended).toBe(0);
  });

  it('names the port that is in use, with 1', async () => {
    const taken = await listen(http.createServer());
    onCleanup(() => taken.close());
    const flags = ['--backend', 'http://127.0.0.1:1', '--port', String(taken.port)];
    expect(await outcomeOf(['gateway', ...flags])).toEqual({
      code: 1,
      out: '',
      err: `mcp-session-routing: 127.0.0.1:${taken.port} is in use: give another --port (0 picks a free one)\n`,
    });
  });

  it('ends with 1 where the servers cannot be found', async () => {
    const file = backendsFile('[{"url":"http://a:1","drain":true}]');
    const { code, err } = await outcomeOf(['gateway', '--backends-file', file.path]);
    expect(code).toBe(1);
    expect(err).toMatch(/^mcp-session-routing: The backends are not known: .*"drain"/);
  });
});

describe('the command gateway in a process of its own', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends by %s with 0', async (signal) => {
    const backend = await scriptedBackend();
    const { gw, child } = await gatewayProcess({ BACKENDS: backend.origin });
    await openSession(gw);
    process.kill(child.pid, signal);
    expect(await child.exited).toEqual([0, null]);
  });

  it('is ended at once by a second SIGTERM, by itself: nothing else would end the first process of a container', async () => {
    const backend = await scriptedBackend(() => true);
    const { gw, child } = await gatewayProcess({ BACKENDS: backend.origin }, '--drain', '60');
    const open = initialize(gw).catch(() => {});
    await backend.hit(0);
    process.kill(child.pid, 'SIGTERM');
    await until(async () => (await fetch(gw.url).catch(() => undefined)) === undefined);
    process.kill(child.pid, 'SIGTERM');
    expect(await child.exited).toEqual([143, null]);
    await open;
  });

  it.each(['stdout', 'stderr'] as const)(
    'goes on when nobody reads its %s any more',
    async (gone) => {
      const backend = await scriptedBackend();
      const args = [
        '--import',
        'tsx',
        'src/cli/main.ts',
        'gateway',
        '--port',
        '0',
        '--log-sessions',
      ];
      const child = spawn(process.execPath, [...args, '--backend', backend.origin], {
        env: { ...process.env, ...NO_VARIABLES, NODE_OPTIONS: '' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      onCleanup(() => child.kill('SIGKILL'));
      let out = '';
      for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
        out += String(chunk);
        if (out.includes('listening on ')) break;
      }
      const gw = { url: new URL(/^listening on (\S+)$/m.exec(out)?.[1] ?? '').origin };
      child[gone].destroy();
      for (let turn = 0; turn < 3; turn += 1) await openSession(gw);
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    },
  );

  it('shares its sessions by --redis, and the password is a variable', async () => {
    const redis = await startRedis({ args: ['--requirepass', 'not-a-secret'] });
    onCleanup(() => redis.stop());
    const backends = await scriptedBackends(3);
    const env = {
      BACKENDS: backends.map(({ origin }) => origin).join(','),
      REDIS_PASSWORD: 'not-a-secret',
      STORE_SECRET: 'a secret of at least thirty-two characters',
    };
    const gateways = await Promise.all([0, 1].map(() => gatewayProcess(env, '--redis', redis.url)));
    const { port } = await tcpBalancer(...gateways.map(({ gw }) => Number(new URL(gw.url).port)));
    const { code, out } = await outcomeOf(['doctor', `http://127.0.0.1:${port}/mcp`]);
    expect(out).toMatch(/^OK +calls +300 of 300 reached their session \(100 %\)$/m);
    expect(code).toBe(0);
    for (const { child } of gateways) expect(child.output()).not.toContain('secret');
  });

  it('says that Redis has no such database, and goes on without it', async () => {
    const backend = await scriptedBackend();
    const { host } = new URL(await sharedRedisUrl());
    const flags = ['--backend', backend.origin, '--redis', `redis://${host}/99`];
    const { gw, child } = await gatewayProcess({}, ...flags);
    await child.printed(
      /^gateway: redis: ERR DB index is out of range; sessions are kept in database 0$/m,
    );
    expect((await initialize(gw)).status).toBe(200);
    expect(child.output()).not.toContain('answers again');
  });

  it('says that Redis does not answer, and that it does again', async () => {
    const redis = await startRedis();
    onCleanup(() => redis.stop());
    const backend = await scriptedBackend();
    await redis.kill();
    const flags = ['--backend', backend.origin, '--redis', redis.url];
    const { gw, child } = await gatewayProcess({}, ...flags);
    await child.printed(/^gateway: redis: ECONNREFUSED$/m);
    await child.printed(/^gateway: the store does not answer: /m);
    expect((await initialize(gw)).status).toBe(503);
    await redis.restart();
    await child.printed(/^gateway: redis answers again$/m);
    expect((await initialize(gw)).status).toBe(200);
  });

  it('takes the settings of the environment, and flags before them', async () => {
    const [a, b] = await scriptedBackends(2);
    const env = { BACKENDS: a?.origin ?? '', REDIS_URL: await sharedRedisUrl(), MCP_PATH: '/a' };
    const { gw, child } = await gatewayProcess(env, '--backend', b?.origin ?? '', '--path', '/b');
    expect(await openSession(gw, '/b')).toMatch(/^b-/);
    expect(child.output()).toContain('sessions are kept in Redis');
  });
});

describe('the doctor in a process of its own', () => {
  it('ends its sessions when it is interrupted, with 130', async () => {
    const backend = await scriptedBackend(({ body }) => body.includes('"ping"'));
    const args = ['doctor', backend.url, '--sessions', '3', '--calls', '1'];
    const { pid, exited } = startChild(['src/cli/main.ts', ...args], {});
    await backend.hitWhere(({ body }) => body.includes('"ping"'));
    process.kill(pid, 'SIGINT');
    expect(await exited).toEqual([130, null]);
    expect(backend.sessions.size).toBe(0);
  });

  it('prints JSON alone on its standard output, and no query', async () => {
    const backend = await scriptedBackend();
    const args = ['doctor', `${backend.url}?key=1`, '--json', '--sessions', '1'];
    const { code, out, err } = await outcomeOf(args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({ url: backend.url, verdict: 'ok' });
  });
});
