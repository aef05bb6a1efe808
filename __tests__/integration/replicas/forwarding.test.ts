import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import express, { type Express } from 'express';
import request from 'supertest';
import { MemoryStore, type McpSessionRouting } from '../../../src/index.ts';
import { HOP_HEADER } from '../../../src/proxy/forward/replica-hop.ts';
import { keyOf } from '../../../src/routing/keys.ts';
import { newRecord } from '../../../src/store/record.ts';
import { deferred } from '../../helpers/deferred.ts';
import type { ExpressMajor } from '../../helpers/gateway.ts';
import {
  call,
  echoCall,
  initialize,
  ofSession,
  openSession,
  openStream,
  post,
  terminate,
} from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { replica, replicas, type Replica, type ReplicaOptions } from '../../helpers/replica.ts';
import { scriptedBackend } from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import { until } from '../../helpers/until.ts';
import { warnings as processWarnings } from '../../helpers/warnings.ts';

const secret = 'a secret of the replicas, long enough';

async function two(options: Partial<ReplicaOptions> = {}): Promise<[Replica, Replica]> {
  const [one, other] = await replicas(2, { store: new MemoryStore(), ...options });
  if (!one || !other) throw new Error('there are not two');
  return [one, other];
}

describe.each<ExpressMajor>([4, 5])('on Express %i', (major) => {
  test('a session opened here is served here, by what comes after the middleware', async () => {
    const [one, other] = await two({ express: major });
    const id = await openSession(one);
    const answer = await call(one, id);
    expect(JSON.parse(answer.text)).toMatchObject({ result: { by: 'r0' } });
    expect(one.served).toHaveLength(2);
    expect(other.served).toHaveLength(0);
    expect(one.sessions.backends.list()).toEqual([]);
  });

  test('a request of a session of another replica is forwarded to it, byte for byte', async () => {
    const [one, other] = await two({ express: major });
    const id = await openSession(one);
    const body = echoCall('\u00e9 \u{1f600}');
    const answer = await post(other, body, ofSession(id), '/mcp?a=%2F&b');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({
      result: { by: 'r0', url: '/mcp?a=%2F&b', body },
    });
    expect(other.served).toHaveLength(0);
    expect(one.served.at(-1)?.headers.host).toBe(new URL(other.origin).host);
    expect(one.served.at(-1)?.headers['x-forwarded-for']).toMatch(/127\.0\.0\.1$/);
  });

  test('also after express.json() on the one that forwards', async () => {
    const [one, other] = await two({
      express: major,
      before: (app: Express) => void app.use(express.json()),
    });
    const id = await openSession(one);
    const answer = await call(other, id, 'parsed');
    expect(JSON.parse(answer.text)).toMatchObject({ result: { by: 'r0' } });
    expect(JSON.parse(one.served.at(-1)?.body ?? '')).toEqual(JSON.parse(echoCall('parsed')));
  });

  test('also where the middleware is mounted on the path of MCP', async () => {
    const [one, other] = await two({ express: major, at: '/mcp' });
    const id = await openSession(one, '/mcp/deep');
    const answer = await post(other, echoCall('x'), ofSession(id), '/mcp/deep?q=1');
    expect(JSON.parse(answer.text)).toMatchObject({ result: { by: 'r0', url: '/mcp/deep?q=1' } });
  });
});

test('an event stream goes through at once, and ends with its session, on both replicas', async () => {
  const [one, other] = await two();
  const id = await openSession(one);
  const [here, there] = [await openStream(one, id), await openStream(other, id)];
  await until(() => here.text === 'data: r0\n\n' && there.text === 'data: r0\n\n');
  expect([one, other].map(({ sessions }) => sessions.stats().streams)).toEqual([2, 1]);
  await one.sessions.end(id);
  await Promise.all([here.closed, there.closed]);
  expectRefusal(await call(other, id), 'session_ended', { id: '2' });
});

test('DELETE to any replica ends the session everywhere', async () => {
  const [one, other] = await two();
  const id = await openSession(one);
  expect((await terminate(other, id)).status).toBe(200);
  expectRefusal(await call(one, id), 'session_ended', { id: '2' });
  expectRefusal(await call(other, id), 'session_ended', { id: '2' });
});

test('a 404 of the app to a DELETE is its word that the session is over', async () => {
  let served = 0;
  const one = await replica({
    store: new MemoryStore(),
    serve: (app) =>
      app.all('/mcp', (req, res) => {
        served += 1;
        if (req.method === 'DELETE') res.status(404).end();
        else res.set('Mcp-Session-Id', 'of-one').json({});
      }),
  });
  const id = await openSession(one);
  expect((await terminate(one, id)).status).toBe(404);
  expectRefusal(await call(one, id), 'session_ended', { id: '2' });
  expect(served).toBe(2);
});

test('what the app does with a refusal is its own matter', async () => {
  const one = await replica({
    store: new MemoryStore(),
    options: { handler: (_req, _res, next) => next() },
  });
  const answer = await call(one, 'nobody');
  expect(answer.status).toBe(404);
  expect(answer.text).toContain('not here');
  expect(one.served).toHaveLength(1);
});

test('an id that nobody has issued is refused by each replica, and reaches no app', async () => {
  const [one, other] = await two();
  expectRefusal(await call(one, 'nobody'), 'unknown_session', { id: '2' });
  expectRefusal(await call(other, 'nobody'), 'unknown_session', { id: '2' });
  expect([...one.served, ...other.served]).toEqual([]);
});

describe('when the owner is gone', () => {
  test('its client is told so in one request, and opens anew anywhere', async () => {
    const [one, other] = await two();
    const id = await openSession(one);
    await one.close();
    expectRefusal(await call(other, id), 'session_lost');
    const again = await openSession(other);
    expect((await call(other, again)).status).toBe(200);
  });

  test('a DELETE is confirmed', async () => {
    const [one, other] = await two();
    const id = await openSession(one);
    await one.close();
    expect((await terminate(other, id)).status).toBe(204);
    expectRefusal(await call(other, id), 'session_ended', { id: '2' });
  });

  test('and is back with an empty memory, its word that it knows no session is believed', async () => {
    const store = new MemoryStore();
    let known = true;
    const one = await replica({
      store,
      serve: (app) =>
        app.post('/mcp', (_req, res) => {
          if (known) res.set('Mcp-Session-Id', 'of-one').json({});
          else res.status(400).json({ error: { code: -32000, message: 'Server not initialized' } });
        }),
    });
    const other = await replica({ store });
    const id = await openSession(one);
    known = false;
    expectRefusal(await call(other, id), 'session_lost');
    expectRefusal(await call(one, id), 'session_ended', { id: '2' });
  });
});

describe('one hop, and no more', () => {
  test('a session whose owner is not where it says ends, and that is told', async () => {
    const store = new MemoryStore();
    const third = await scriptedBackend();
    // It says of itself what is true of another one.
    const wrong = await replica({ store, name: 'wrong', options: { self: third.origin } });
    const id = await openSession(wrong);
    const [one, other] = await replicas(2, { store });
    third.answer = async ({ req, res, url, body, headers }) => {
      // What a load balancer would do.
      const answer = await fetch(`${other?.origin}${url}`, {
        method: req.method ?? '',
        headers: { ...(headers as Record<string, string>), connection: 'close' },
        body: new Uint8Array(body),
      });
      res.writeHead(answer.status, { 'Content-Type': 'application/json' });
      res.end(await answer.text());
    };
    const warned = processWarnings();
    const answer = await call({ url: one?.origin ?? '' }, id);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { data: { reason: 'session_lost' } } });
    expect(third.hits).toHaveLength(1);
    await until(() => warned.length > 0);
    expect(warned.join()).toContain(`to reach ${third.origin}, which is not the "self"`);
    expectRefusal(await call(wrong, id), 'session_ended', { id: '2' });
  });

  test('a client that claims to be a replica harms nobody but itself', async () => {
    const [one, other] = await two({ options: { secret } });
    const [id, another] = [await openSession(one), await openSession(one)];
    const claim = { ...ofSession(id), [HOP_HEADER]: '1' };
    expect((await post(one, echoCall('x'), claim)).status).toBe(200);
    expect(one.served.at(-1)?.forwarded).toBe(false);
    expectRefusal(await post(other, echoCall('x'), claim), 'session_lost');
    expect(one.served).toHaveLength(3);
    expect((await call(other, another)).status).toBe(200);
  });

  test('nor does the claim say anything of the owner, or of its other sessions', async () => {
    const store = new MemoryStore();
    const list: string[] = [];
    const options = { backends: () => list, secret };
    const [one, other] = await replicas(2, { store, options });
    if (!one || !other) throw new Error('there are not two');
    list.push(one.origin, other.origin);
    await until(() => other.sessions.backends.list().length === 2);
    const warned = processWarnings();
    const id = await openSession(one);
    const claim = { ...ofSession(id), [HOP_HEADER]: '1' };
    expectRefusal(await post(other, echoCall('x'), claim), 'session_lost');
    expect(other.sessions.backends.list().map(({ state }) => state)).toEqual(['up', 'up']);
    expect(warned).toEqual([]);
  });

  test('the mark cannot be nominated away, and the app does not get it', async () => {
    const [one, other] = await two({ options: { secret } });
    const id = await openSession(one);
    await post(other, echoCall('x'), { ...ofSession(id), Connection: HOP_HEADER });
    expect(one.served.at(-1)?.forwarded).toBe(true);
    expect(one.served.at(-1)?.headers).not.toHaveProperty(HOP_HEADER);
  });
});

describe('what another replica has done need not be done twice', () => {
  /** What stands before the middleware, as an app would have it, and after it. */
  function limits(): { before: string[]; after: string[]; options: Partial<ReplicaOptions> } {
    const [before, after]: [string[], string[]] = [[], []];
    let sessions: McpSessionRouting | undefined;
    const options: Partial<ReplicaOptions> = {
      options: { secret },
      before: (app) =>
        void app.use((req, _res, next) => {
          if (!sessions?.isForwarded(req)) before.push(req.method);
          next();
        }),
      serve: (app) => {
        app.use((req, _res, next) => {
          after.push(req.method);
          next();
        });
        app.post('/mcp', (_req, res) => void res.set('Mcp-Session-Id', 'of-one').json({}));
      },
      made: (it) => (sessions = it),
    };
    return { before, after, options };
  }

  test('with a secret each request is counted once before the middleware, and once after it', async () => {
    const store = new MemoryStore();
    const [here, there] = [limits(), limits()];
    const one = await replica({ store, ...here.options });
    const other = await replica({ store, ...there.options });
    const id = await openSession(one);
    await call(one, id);
    for (let at = 0; at < 3; at += 1) await call(other, id);
    expect([here.before, there.before].map(({ length }) => length)).toEqual([2, 3]);
    expect([here.after, there.after].map(({ length }) => length)).toEqual([5, 0]);
  });

  test('without one it is not: anybody could say so', async () => {
    const [one, other] = await two();
    const id = await openSession(one);
    await call(other, id);
    expect(one.served.at(-1)?.forwarded).toBe(false);
  });

  test('the secret is changed while replicas run', async () => {
    const store = new MemoryStore();
    const next = 'the next secret of the replicas, long enough';
    const one = await replica({ store, options: { secret: [next, secret] } });
    const other = await replica({ store, options: { secret } });
    const id = await openSession(one);
    await call(other, id);
    expect(one.served.at(-1)?.forwarded).toBe(true);
  });
});

describe('where requests may be forwarded to', () => {
  function recordOf(url: string): [string, MemoryStore] {
    const store = new MemoryStore();
    const id = randomUUID();
    const key = keyOf(id);
    const record = newRecord({ key, nonce: randomUUID(), backendUrl: url, path: '/mcp' });
    store.create(key, record, 2 * 24 * 60 * 60 * 1000);
    return [id, store];
  }

  test('a record that leads to a host that is no replica leads nowhere', async () => {
    const stranger = await scriptedBackend();
    const [id, store] = recordOf(stranger.origin);
    const options = { backends: ['http://127.0.0.1:9'], lostAfter: 1 };
    const one = await replica({ store, options });
    expectRefusal(await call(one, id), 'backend_unreachable', { id: '2' });
    await until(async () => (await call(one, id)).status === 404);
    expectRefusal(await call(one, id), 'session_ended', { id: '2' });
    expect(stranger.hits).toHaveLength(0);
  });

  test('the same record leads there if that is one', async () => {
    const stranger = await scriptedBackend();
    const [id, store] = recordOf(stranger.origin);
    const one = await replica({ store, options: { backends: [stranger.origin] } });
    await call(one, id);
    expect(stranger.hits).toHaveLength(1);
  });

  test('a replica that is not in the list yet loses no session', async () => {
    const store = new MemoryStore();
    const one = await replica({ store });
    const list = ['http://127.0.0.1:9'];
    const other = await replica({ store, options: { backends: () => list } });
    const id = await openSession(one);
    expectRefusal(await call(other, id), 'backend_unreachable', { id: '2' });
    list.push(one.origin);
    await until(async () => (await call(other, id)).status === 200);
    expect(one.served.length).toBeGreaterThan(1);
  });

  test('with a secret it is believed before it is in the list', async () => {
    const store = new MemoryStore();
    const one = await replica({ store, options: { secret } });
    const backends = ['http://127.0.0.1:9'];
    const other = await replica({ store, options: { secret, backends } });
    const id = await openSession(one);
    expect((await call(other, id)).status).toBe(200);
    await one.close();
    expectRefusal(await call(other, id), 'session_lost');
  });

  test('a list of replicas that leaves this one out says nothing of its own sessions', async () => {
    const store = new MemoryStore();
    const one = await replica({ store, options: { backends: ['http://127.0.0.1:9'] } });
    const id = await openSession(one);
    expect((await call(one, id)).status).toBe(200);
  });

  test('with a list the sessions of each replica are counted as its own', async () => {
    const store = new MemoryStore();
    const list: string[] = [];
    const [one, other] = await replicas(2, { store, options: { backends: () => list } });
    list.push(one?.origin ?? '', other?.origin ?? '');
    await until(() => one?.sessions.backends.list().length === 2);
    await until(() => other?.sessions.backends.list().length === 2);
    const id = await openSession({ url: one?.origin ?? '' });
    expect((await call({ url: other?.origin ?? '' }, id)).status).toBe(200);
    expect(one?.sessions.backends.list().map(({ opened }) => opened)).toEqual([1, 0]);
  });

  test('another process at the address of this one has none of its sessions', async () => {
    const store = new MemoryStore();
    let instance = 'first';
    const one = await replica({
      store,
      options: { backends: () => [{ url: one.origin, id: instance }] },
    });
    await until(() => one.sessions.backends.list().length === 1);
    const id = await openSession(one);
    expect((await call(one, id)).status).toBe(200);
    instance = 'second';
    await until(() => one.sessions.backends.list()[0]?.id === 'second');
    expectRefusal(await call(one, id), 'session_ended', { id: '2' });
  });
});

describe('what the app has beside MCP', () => {
  const addRoutes = (app: Express): void => {
    app.get('/health', (_req, res) => void res.set('Mcp-Session-Id', 'of-another-kind').send('ok'));
    app.post('/login', express.json(), (req, res) => void res.json(req.body));
    app.post('/pay', (req, res) => void res.status(201).send(req.url.split('?')[1]));
  };

  test('is left alone', async () => {
    const one = await replica({ store: scriptedStore(), options: { secret }, serve: addRoutes });
    const health = await request(one.url).get('/health');
    expect([health.text, health.get('Mcp-Session-Id')]).toEqual(['ok', 'of-another-kind']);
    expect((await request(one.url).post('/login').send({ a: 1 })).body).toEqual({ a: 1 });
    expect((await request(one.url).get('/nowhere')).status).toBe(404);
  });

  test('also GET and DELETE of 2026-07-28, which only a server of MCP has to refuse', async () => {
    const one = await replica({ store: new MemoryStore(), serve: addRoutes });
    const answer = await request(one.url).get('/health').set('MCP-Protocol-Version', '2026-07-28');
    expect(answer.text).toBe('ok');
  });

  test('also where nobody can be told who sends it, or its query names something else', async () => {
    const one = await replica({
      store: new MemoryStore(),
      options: {
        sse: true,
        principal: (req) => {
          if (req.path === '/login') throw new Error('nobody is logged in');
          return 'anna';
        },
      },
      serve: addRoutes,
    });
    expect((await request(one.url).post('/login').send({ a: 1 })).body).toEqual({ a: 1 });
    for (const query of ['session_id=cs_test_123', 'sessionId=']) {
      const answer = await request(one.url).post(`/pay?${query}`).send({ a: 1 });
      expect([answer.status, answer.text]).toEqual([201, query]);
    }
  });

  test('also where a dot segment is in the path', async () => {
    const one = await replica({ store: new MemoryStore(), serve: addRoutes });
    const answer = await request(one.url).get('/%2e%2e/health');
    expect(answer.status).toBe(404);
    expect(answer.text).not.toContain('invalid_path');
  });
});

test('a dot segment reaches no other path of the owner', async () => {
  const [one, other] = await two();
  const id = await openSession(one);
  const answer = await post(other, echoCall('x'), ofSession(id), '/mcp/%2e%2e/admin');
  expectRefusal(answer, 'invalid_path');
  expect(one.served).toHaveLength(1);
});

test('while the store fails what is opened is not let out, and known sessions go on', async () => {
  const store = scriptedStore();
  const [one, other] = await two({ store, options: { secret, storeTimeout: 200 } });
  const id = await openSession(one);
  expect((await call(other, id)).status).toBe(200);
  store.fault = 'reject';
  expectRefusal(await initialize(one), 'store_unavailable');
  expect((await call(other, id)).status).toBe(200);
  expectRefusal(await call(other, 'unknown'), 'store_unavailable', { id: '2' });
});

test('a stranger with the id of a session gets the answer of one that never was', async () => {
  const principal = (req: express.Request): string | undefined => req.get('x-user');
  const [one, other] = await two({ options: { principal } });
  const id = (await initialize(one, { 'X-User': 'anna' })).get('Mcp-Session-Id') ?? '';
  const as = (user: string): Record<string, string> => ({ ...ofSession(id), 'X-User': user });
  expect((await post(other, echoCall('x'), as('anna'))).status).toBe(200);
  expectRefusal(await post(other, echoCall('x'), as('eve')), 'unknown_session', { id: '2' });
  expectRefusal(await post(one, echoCall('x'), as('eve')), 'unknown_session', { id: '2' });
});

test('a replica that is being closed opens nothing, and finishes what it has begun', async () => {
  const [one, other] = await two();
  const id = await openSession(one);
  const stream = await openStream(one, id);
  const closing = one.sessions.close({ drain: 10_000 });
  expect(await stream.closed).toBe('broken');
  await closing;
  expectRefusal(await initialize(one), 'shutting_down');
  expect((await call(one, id)).status).toBe(200);
  await one.close();
  expectRefusal(await call(other, id), 'session_lost');
});

test('a replica that is being closed waits for the calls that its app still answers', async () => {
  const gate = deferred();
  const asked = deferred();
  const one = await replica({
    store: new MemoryStore(),
    serve: (app) =>
      app.post('/mcp', (req, res) => {
        if (req.get('mcp-session-id') === undefined) {
          res.set('Mcp-Session-Id', 'of-one').json({});
          return;
        }
        asked.resolve(undefined);
        void gate.promise.then(() => res.json({ late: true }));
      }),
  });
  const id = await openSession(one);
  const answer = call(one, id).then((got) => got.body as unknown);
  await asked.promise;
  let closed = false;
  const closing = one.sessions.close({ drain: 10_000 }).then(() => {
    closed = true;
  });
  await new Promise(setImmediate);
  expect(closed).toBe(false);
  gate.resolve(undefined);
  expect(await answer).toEqual({ late: true });
  await closing;
});

test('a call that waits for another request of its session finishes while its replica is being closed', async () => {
  const asked = deferred();
  const answered = deferred();
  const serve = (app: Express): void => {
    app.post('/mcp', express.json(), (req, res) => {
      if (req.get('mcp-session-id') === undefined) {
        res.set('Mcp-Session-Id', 'of-one').json({});
      } else if ((req.body as { method?: string }).method === undefined) {
        // What the call has asked the client, by whichever replica.
        answered.resolve(undefined);
        res.status(202).end();
      } else {
        asked.resolve(undefined);
        void answered.promise.then(() => res.json({ late: true }));
      }
    });
  };
  const store = new MemoryStore();
  const one = await replica({ store, serve });
  const other = await replica({ store, serve });
  const id = await openSession(one);
  const answer = call(other, id).then((got) => got.body as unknown);
  await asked.promise;
  const closing = one.sessions.close({ drain: 10_000 });
  const reply = await post(other, '{"jsonrpc":"2.0","id":1,"result":{}}', ofSession(id));
  expect(reply.status).toBe(202);
  expect(await answer).toEqual({ late: true });
  await closing;
});

describe('an origin that a function tells', () => {
  test('is asked for once', async () => {
    let asked = 0;
    const store = new MemoryStore();
    const one: Replica = await replica({
      store,
      options: {
        self: () => {
          asked += 1;
          return one.origin;
        },
      },
    });
    const id = await openSession(one);
    await call(one, id);
    expect(asked).toBe(1);
  });

  test('while it cannot be told nothing is served, and the app learns why', async () => {
    const seen: unknown[] = [];
    let self = 'http://undefined:3000';
    const one = await replica({
      store: new MemoryStore(),
      options: { self: () => self },
      serve(app) {
        app.post('/mcp', (_req, res) => void res.json({}));
        app.get('/health', (_req, res) => void res.send('ok'));
        app.use((error: Error, _req: unknown, res: express.Response, _next: unknown) => {
          seen.push(error.message);
          res.status(500).end();
        });
      },
    });
    expect((await initialize(one)).status).toBe(500);
    expect((await request(one.url).get('/health')).text).toBe('ok');
    expect(seen.join()).toContain('must be where the other replicas reach this process');
    self = one.origin;
    expect((await initialize(one)).status).toBe(200);
  });
});
