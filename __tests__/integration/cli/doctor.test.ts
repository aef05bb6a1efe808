import { devNull } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { onCleanup } from '../../helpers/cleanup.ts';
import { backendFlags, outcomeOf, run, runGateway } from '../../helpers/command-line.ts';
import { startBackends, type Backends } from '../../helpers/e2e-backends.ts';
import { startChild } from '../../helpers/e2e-children.ts';
import { SDK_SERVERS } from '../../helpers/replica-sdks.ts';
import { redisStore, replicas, roundRobin } from '../../helpers/replica.ts';
import { scriptedBackend, scriptedBackends } from '../../helpers/scripted-backend.ts';
import { sseBackend } from '../../helpers/sse-backend.ts';
import { tcpBalancer } from '../../helpers/tcp-balancer.ts';

interface Told {
  readonly verdict: string;
  readonly calls: { readonly total: number; readonly reached: number };
  readonly streams: Readonly<Record<string, number>>;
  readonly endings: Readonly<Record<string, number>>;
  readonly revisions: readonly string[];
  readonly eras: { readonly modern: { readonly understood: number }; readonly sse: boolean };
  readonly direct?: { readonly call?: { readonly through: number; readonly direct: number } };
  readonly left: number;
}

/** Examines an endpoint; small, unless the flags say otherwise. */
async function examined(
  url: string,
  ...flags: readonly string[]
): Promise<{ readonly code: number; readonly told: Told; readonly out: string }> {
  const { code, out, err } = await outcomeOf(['doctor', url, '--json', ...flags]);
  if (err !== '') throw new Error(err);
  return { code, out, told: JSON.parse(out) as Told };
}

/** A plain balancer that takes its servers in turns. */
async function balanced(origins: Iterable<string>): Promise<string> {
  const ports = [...origins].map((origin) => Number(new URL(origin).port));
  const { port } = await tcpBalancer(...ports);
  return `http://127.0.0.1:${port}`;
}

describe('the doctor, at three real servers of SDK v1', () => {
  let backends: Backends;
  beforeAll(async () => {
    backends = await startBackends('SDK v1');
  });
  afterAll(() => backends.stop());

  it('tells that a plain round-robin balancer pins a third of the calls', async () => {
    const url = `${await balanced(backends.origins.values())}/mcp`;
    const { code, out } = await outcomeOf(['doctor', url]);
    expect(code).toBe(1);
    const [, share] =
      /^PROBLEM +calls +\d+ of 300 reached their session \((\d+) %\)/m.exec(out) ?? [];
    expect(Math.abs(Number(share) - 33)).toBeLessThan(14);
    expect(out).toMatch(/^ +npx mcp-session-routing gateway --backend URL --backend URL$/m);
    expect(out).toMatch(/^PROBLEM: not all is known/m);
  });

  it('tells that the gateway in front of the same servers pins all of them', async () => {
    const { url } = await runGateway(...backendFlags(backends.origins.values()));
    const { code, out } = await outcomeOf(['doctor', url]);
    expect(code).toBe(0);
    expect(out).toMatch(/^OK +calls +300 of 300 reached their session \(100 %\)$/m);
    expect(out).toMatch(/^OK +GET stream +5 of 5 open, head after [\d.]+ ms$/m);
    expect(out).toMatch(/^OK +DELETE +30 of 30 sessions ended, then HTTP 404$/m);
    expect(out).toMatch(/^NOTE +unknown id +HTTP 400: clients start again on 404/m);
    expect(out).toMatch(/^ +revisions +2025-11-25 with sessions$/m);
    expect(out).toMatch(/^OK: every call/m);
  });

  it('tells that two gateways without a Redis do not know of each other', async () => {
    const flags = backendFlags(backends.origins.values());
    const gateways = [await runGateway(...flags), await runGateway(...flags)];
    const origin = await balanced(gateways.map(({ url }) => new URL(url).origin));
    const { code, told } = await examined(`${origin}/mcp`, '--sessions', '10');
    expect(code).toBe(1);
    expect(told.calls.reached).toBeLessThan(80);
  });

  it('tells what the way to a server adds', async () => {
    const [direct = ''] = backends.origins.values();
    const { url } = await runGateway('--backend', direct);
    const flags = ['--sessions', '2', '--calls', '1', '--direct', `${direct}/mcp`];
    const { told } = await examined(url, ...flags);
    expect(told.direct?.call?.through).toBeGreaterThan(0);
    expect(told.direct?.call?.direct).toBeGreaterThan(0);
    expect(told.left).toBe(0);
  });
});

describe('the doctor, at three replicas of an app behind a balancer that knows no sessions', () => {
  const serving = SDK_SERVERS['StreamableHTTPServerTransport of SDK v1'];

  /** Of the report, and the exit code. */
  async function examinedReplicas(
    at: string,
  ): Promise<{ readonly code: number; readonly out: string }> {
    const options = { secret: 'a secret of the replicas, long enough' };
    const all = await replicas(3, { ...serving, store: await redisStore(), options, at });
    const { url } = await roundRobin(all);
    return outcomeOf(['doctor', `${url}/mcp`]);
  }

  it('tells that a third of the calls is pinned without the middleware', async () => {
    const { code, out } = await examinedReplicas('/where/nobody/asks');
    expect(code).toBe(1);
    const [, share] =
      /^PROBLEM +calls +\d+ of 300 reached their session \((\d+) %\)/m.exec(out) ?? [];
    expect(Math.abs(Number(share) - 33)).toBeLessThan(14);
  });

  it('tells that the middleware pins all of them', async () => {
    const { code, out } = await examinedReplicas('/');
    expect(code).toBe(0);
    expect(out).toMatch(/^OK +calls +300 of 300 reached their session \(100 %\)$/m);
    expect(out).toMatch(/^OK +GET stream +5 of 5 open, /m);
    expect(out).toMatch(/^OK +DELETE +30 of 30 sessions ended, then HTTP 404$/m);
  });
});

describe('the doctor, at servers of every era', () => {
  const small = ['--sessions', '4', '--calls', '3'];

  /** Its origin. */
  async function server(file: string, ERA = ''): Promise<string> {
    const env = { ERA, PORT: '0', INSTANCE: 'a', REQUEST_LOG: devNull };
    const child = startChild([`./__tests__/fixtures/e2e/${file}`], env, ['observe.ts']);
    onCleanup(() => child.kill());
    return `http://127.0.0.1:${await child.port}`;
  }

  it('tells that a server speaks 2026-07-28 beside the sessions of before', async () => {
    const origin = await server('eras-server.ts', 'both');
    const { code, told } = await examined(`${origin}/mcp`, ...small);
    expect(code).toBe(0);
    expect(told.revisions).toEqual(['2025-11-25']);
    expect(told.eras.modern.understood).toBe(6);
  });

  it('has nothing to pin at a server of 2026-07-28 alone, and asks it all the same', async () => {
    const origin = await server('eras-server.ts', 'modern');
    const { code, out } = await outcomeOf(['doctor', `${origin}/mcp`, ...small]);
    expect(code).toBe(0);
    expect(out).toContain('12 of 12 were answered (100 %); the server keeps no sessions');
    expect(out).toMatch(/^ +revisions +2026-07-28$/m);
  });

  it('knows an endpoint of HTTP+SSE, directly and behind the gateway', async () => {
    const { origin } = await sseBackend('TypeScript');
    const { url } = await runGateway('--backend', origin);
    for (const each of [origin, new URL(url).origin]) {
      const { code, told, out } = await examined(`${each}/sse`, ...small);
      expect({ code, sse: told.eras.sse }).toEqual({ code: 1, sse: true });
      expect(out).toContain('whose sessions are not examined');
    }
  });

  it('knows an endpoint of HTTP+SSE whose stream begins with a comment', async () => {
    const backend = await scriptedBackend(({ method, res }) => {
      if (method !== 'GET') return res.writeHead(405).end();
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write(': hello\n\n');
      return setTimeout(() => res.write('event: endpoint\ndata: /m?sessionId=1\n\n'), 50);
    });
    const { told } = await examined(backend.url, ...small);
    expect(told.eras.sse).toBe(true);
  });

  it('has nothing to pin at a server of SDK v2 that keeps no sessions', async () => {
    const url = `${await server('sdk2-server.ts')}/stateless`;
    const { code, told, out } = await examined(url, ...small);
    expect({ code, reached: told.calls.reached }).toEqual({ code: 0, reached: 12 });
    expect(out).toContain('the server keeps no sessions: nothing to pin');
  });
});

describe('the doctor', () => {
  it('leaves no session behind, and prints no id', async () => {
    const backend = await scriptedBackend();
    const { code, out } = await examined(backend.url, '--sessions', '5', '--calls', '2');
    const ids = backend.hits.flatMap(({ headers }) => headers['mcp-session-id'] ?? []);
    expect(code).toBe(0);
    expect(backend.sessions.size).toBe(0);
    expect(ids.length).toBeGreaterThan(10);
    expect(ids.filter((id) => out.includes(id))).toEqual([]);
  });

  it('leaves none behind where requests go astray', async () => {
    const backends = await scriptedBackends(2);
    const url = `${await balanced(backends.map(({ origin }) => origin))}/mcp`;
    const { told } = await examined(url, '--sessions', '6', '--calls', '1');
    expect(told.left).toBe(0);
    expect(backends.map(({ sessions }) => sessions.size)).toEqual([0, 0]);
  });

  it('reads no answer that does not end', async () => {
    const comments = `: ${'x'.repeat(65_536)}\n\n`;
    const backend = await scriptedBackend(({ body, res }) => {
      if (!body.includes('"ping"')) return false;
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const more = (): void => {
        let wants = true;
        while (wants && !res.destroyed) wants = res.write(comments);
      };
      res.on('drain', more);
      return more();
    });
    const flags = ['--sessions', '1', '--calls', '1', '--timeout', '600'];
    const { told } = await examined(backend.url, ...flags);
    expect(told.calls).toMatchObject({ total: 1, reached: 0 });
    expect(backend.sessions.size).toBe(0);
  });

  it('leaves none behind when it is stopped', async () => {
    const backend = await scriptedBackend(({ body }) => body.includes('"ping"'));
    const doctor = run(['doctor', backend.url, '--sessions', '3', '--calls', '1']);
    await backend.hitWhere(({ body }) => body.includes('"ping"'));
    expect(backend.sessions.size).toBe(3);
    expect(await doctor.stop()).toBe(130);
    expect(backend.sessions.size).toBe(0);
    expect(doctor.err()).toMatch(/^doctor: stopped/);
  });

  it('leaves none behind whose opening was under way when it was stopped', async () => {
    const backend = await scriptedBackend(({ headers, body }) => {
      const opens = headers['mcp-session-id'] === undefined && body.includes('"initialize"');
      return opens ? new Promise((resolve) => setTimeout(resolve, 300, false)) : false;
    });
    const doctor = run(['doctor', backend.url, '--sessions', '3']);
    await backend.hitWhere(({ body }) => body.includes('"initialize"'));
    expect(await doctor.stop()).toBe(130);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(backend.hits.filter(({ body }) => body.includes('"initialize"'))).toHaveLength(3);
    expect(backend.sessions.size).toBe(0);
  });

  it('leaves none behind whose opening got an id, and no answer', async () => {
    const backend = await scriptedBackend(({ headers, body, res }, { sessions }) => {
      if (headers['mcp-session-id'] !== undefined || !body.includes('"initialize"')) return false;
      sessions.add(`only-${sessions.size}`);
      res.setHeader('Mcp-Session-Id', `only-${sessions.size - 1}`);
      return res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': wait\n\n');
    });
    await outcomeOf(['doctor', backend.url, '-s', '3', '--timeout', '0.5']);
    expect(backend.sessions.size).toBe(0);
  });

  it('tells of those that it has left behind at one server itself', async () => {
    const [backend, direct] = await scriptedBackends(2);
    if (!backend || !direct) throw new RangeError('two backends');
    direct.answer = ({ method, res }) => method === 'DELETE' && res.writeHead(500).end();
    const { told } = await examined(backend.url, '-s', '1', '-c', '1', '--direct', direct.url);
    expect(direct.sessions.size).toBe(10);
    expect(told.left).toBe(10);
  });

  it('goes on to end a session where a DELETE was broken off', async () => {
    let broken = 0;
    const backend = await scriptedBackend(
      ({ method, req }) => method === 'DELETE' && (broken += 1) < 4 && req.socket.destroy(),
    );
    const { told } = await examined(backend.url, '-s', '1', '-c', '1');
    expect(told.left).toBe(0);
    expect(backend.sessions.size).toBe(0);
  });

  it('opens a connection for each request, and no more of them at a time than it was told', async () => {
    const sockets = new Set<unknown>();
    const waiting = { now: 0, most: 0 };
    const backend = await scriptedBackend(async ({ req }) => {
      sockets.add(req.socket);
      waiting.now += 1;
      waiting.most = Math.max(waiting.most, waiting.now);
      await new Promise((resolve) => setImmediate(resolve));
      // The next one is sent when this one is answered, and not before.
      waiting.now -= 1;
      return false;
    });
    await examined(backend.url, '--sessions', '8', '--calls', '5', '--concurrency', '3');
    expect(sockets.size).toBe(backend.hits.length);
    expect(waiting.most).toBeLessThanOrEqual(3);
  });

  it('sends the headers it was given', async () => {
    const backend = await scriptedBackend();
    await examined(backend.url, '--sessions', '1', '--calls', '1', '-H', 'Authorization: Bearer x');
    const sent = new Set(backend.hits.map(({ headers }) => headers.authorization));
    expect([...sent]).toEqual(['Bearer x']);
  });

  it('takes a certificate that nobody has signed only if it is told to', async () => {
    const backend = await scriptedBackend(undefined, { tls: true });
    const flags = ['--sessions', '1', '--calls', '1'];
    const refused = await outcomeOf(['doctor', backend.url, ...flags]);
    expect(refused.code).toBe(1);
    expect(refused.out).toContain('--insecure');
    expect((await examined(backend.url, ...flags, '--insecure')).code).toBe(0);
  });

  it('tells that event streams are held back', async () => {
    const backend = await scriptedBackend(({ method }) => method === 'GET');
    const { out } = await outcomeOf([
      'doctor',
      backend.url,
      '--sessions',
      '1',
      '--calls',
      '1',
      '--timeout',
      '0.5',
    ]);
    expect(out).toMatch(/^PROBLEM +GET stream +1 of 1 had no head in time$/m);
    expect(out).toContain('proxy_buffering off');
  });

  it('tells that a session goes on after its DELETE', async () => {
    const backend = await scriptedBackend(({ method, res }) =>
      method === 'DELETE' ? res.writeHead(200).end() : false,
    );
    const { out, code } = await outcomeOf(['doctor', backend.url, '--sessions', '2']);
    expect(out).toMatch(/^PROBLEM +DELETE +2 of 2 sessions ended, and then 2 of 2 calls/m);
    expect(code).toBe(0);
  });

  it('believes no server that answers everybody', async () => {
    const backend = await scriptedBackend(({ headers, body, res }) => {
      if (headers['mcp-session-id'] === undefined || !body.includes('"ping"')) return false;
      return res.end('{"jsonrpc":"2.0","id":1,"result":{}}');
    });
    const { out, code } = await outcomeOf(['doctor', backend.url, '--sessions', '2']);
    expect(out).toMatch(/^PROBLEM +calls +20 of 20 were answered, but so is an id/m);
    expect(code).toBe(1);
  });

  it('believes no server that gives all sessions one id', async () => {
    const backend = await scriptedBackend(({ headers, body, res }, { sessions }) => {
      if (headers['mcp-session-id'] !== undefined || !body.includes('"initialize"')) return false;
      sessions.add('same');
      res.setHeader('Mcp-Session-Id', 'same');
      return res.end('{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}');
    });
    const { out, code } = await outcomeOf(['doctor', backend.url, '--sessions', '3']);
    expect(out).toMatch(
      /^PROBLEM +sessions +2 of 3 could not be opened: 2 x an Mcp-Session-Id that/m,
    );
    expect(code).toBe(1);
  });

  it('believes no server that answers with the id of another session', async () => {
    const backend = await scriptedBackend(({ body, res }, { sessions }) => {
      if (body.includes('"ping"')) res.setHeader('Mcp-Session-Id', [...sessions][0] ?? '');
      return false;
    });
    const { out, code } = await outcomeOf(['doctor', backend.url, '-s', '2', '-c', '3']);
    expect(out).toMatch(/^PROBLEM +calls +3 of 6 .*: 3 x another session's Mcp-Session-Id$/m);
    expect(code).toBe(1);
  });

  it('says what may be wrong where nobody listens', async () => {
    const backend = await scriptedBackend();
    await backend.close();
    const { code, out } = await outcomeOf(['doctor', backend.url]);
    expect(code).toBe(1);
    expect(out).toMatch(/^PROBLEM +sessions +30 of 30 could not be opened: 30 x ECONNREFUSED$/m);
    expect(out).toContain('is it running, and is the port right?');
  });
});
