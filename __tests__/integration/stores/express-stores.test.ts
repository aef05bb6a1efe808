import { describe, expect, test } from '@jest/globals';
import { RedisStore as ConnectRedis8 } from 'connect-redis';
import { RedisStore as ConnectRedis10 } from 'connect-redis10';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import request from 'supertest';
import { mcpSessionRouting, type McpSessionRouting, type StoreLike } from '../../../src/index.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import type { RedisServer } from '../../helpers/redis-server.ts';
import { ownRedis } from '../../helpers/redis-topology.ts';
import { connect, eventually, ready } from './redis-fixture.ts';

interface App {
  readonly app: express.Express;
  readonly sessions: McpSessionRouting;
  readonly errors: string[];
}

/** A gateway with a handler in place of a proxy: POSTs without an id open the session "opened-n". */
function appOn(store: StoreLike): App {
  const errors: string[] = [];
  const logger = {
    info: () => {},
    warn: () => {},
    error: (line: string) => void errors.push(line),
  };
  const sessions = mcpSessionRouting(store, { logger, storeTimeout: 500 });
  onCleanup(() => sessions.close());
  const app = express();
  app.use(sessions);
  let opened = 0;
  app.all('/mcp', (req, res) => {
    if (req.get('mcp-session-id') === undefined) {
      opened += 1;
      res.set('Mcp-Session-Id', `opened-${opened}`);
    }
    res.status(req.method === 'DELETE' ? 204 : 200).end();
  });
  return { app, sessions, errors };
}

async function nodeRedisOn(redis: RedisServer): Promise<ReturnType<typeof createClient>> {
  const client = createClient({ url: redis.url });
  client.on('error', () => {});
  await client.connect();
  onCleanup(() => client.destroy());
  return client as ReturnType<typeof createClient>;
}

const STORES: [string, (redis: RedisServer) => StoreLike | Promise<StoreLike>][] = [
  ['connect-redis 8.1 with ioredis', (redis) => new ConnectRedis8({ client: connect(redis.url) })],
  [
    'connect-redis 10 with node-redis',
    async (redis) => new ConnectRedis10({ client: await nodeRedisOn(redis) }),
  ],
  ['express-session’s MemoryStore', () => new session.MemoryStore()],
];

describe.each(STORES)('with %s', (_name, makeStore) => {
  test('a session is opened on one gateway, found and ended on another', async () => {
    const store = await makeStore(await ownRedis());
    const [one, other] = [appOn(store), appOn(store)];
    await Promise.all([one.sessions.ready(), other.sessions.ready()]);
    const opening = await request(one.app).post('/mcp');
    const id = opening.get('mcp-session-id') ?? '';
    expect(id).toBe('opened-1');
    await request(other.app).post('/mcp').set('mcp-session-id', id).expect(200);
    await request(other.app).delete('/mcp').set('mcp-session-id', id).expect(204);
    await eventually(
      () => request(one.app).get('/mcp').set('mcp-session-id', id).expect(404),
      1500,
    );
    await request(one.app).get('/mcp').set('mcp-session-id', 'never-issued').expect(400);
    expect([...one.errors, ...other.errors]).toEqual([]);
  });
});

test('connect-redis 8.1 keeps no session id, and its TTL is that of the session', async () => {
  const redis = await ownRedis();
  const client = await ready(connect(redis.url));
  const { app, sessions } = appOn(new ConnectRedis8({ client }));
  await sessions.ready();
  await request(app).post('/mcp').expect(200);
  const [key = '', ...others] = await client.keys('*');
  expect(others).toEqual([]);
  expect(key).toMatch(/^sess:mcp-session:[0-9a-f]{64}$/);
  expect(await client.get(key)).not.toContain('opened-1');
  const ttl = await client.ttl(key);
  expect(ttl).toBeLessThanOrEqual(7200);
  expect(ttl).toBeGreaterThan(7100);
});

describe('a store for express-session that can never work', () => {
  const broken: session.Store = Object.assign(new session.MemoryStore(), {
    set: (_id: string, _value: unknown, done: (error: Error) => void) =>
      done(new Error('no table')),
  });

  test('is told to the logger of a gateway that never calls ready()', async () => {
    const { errors } = appOn(broken);
    await eventually(() => expect(errors).toHaveLength(1));
    expect(errors[0]).toMatch(/session store failed \(probe\): .*MemoryStore.*"set".*no table/);
  });

  test('makes ready() reject with what is wrong', async () => {
    await expect(appOn(broken).sessions.ready()).rejects.toThrow(/"set" failed with "no table"/);
  });

  test('is 503 to requests of sessions and to those that open one; others pass', async () => {
    const { app } = appOn(broken);
    const refused = await request(app).get('/mcp').set('mcp-session-id', 'some-id').expect(503);
    expect(refused.body.error.data).toEqual({ reason: 'store_unavailable' });
    expect(refused.get('retry-after')).toBe('1');
    const opening = await request(app).post('/mcp').expect(503);
    expect(opening.get('mcp-session-id')).toBeUndefined();
    const { app: stateless } = appOn(broken);
    stateless.get('/health', (_req, res) => void res.end('up'));
    await request(stateless).get('/health').expect(200);
  });
});

test('connect-redis 10 with ioredis is refused when the gateway is made, with the remedy', async () => {
  const client = connect((await ownRedis()).url);
  // Its types refuse the client, JavaScript does not.
  const store = Reflect.construct(ConnectRedis10, [{ client }]) as StoreLike;
  expect(() => appOn(store)).toThrow(/connect-redis 8\.1 with ioredis/);
});

test('connect-redis 10 with ioredis, where it is not recognised, is found out by trying it', async () => {
  const client = await ready(connect((await ownRedis()).url));
  const store = Reflect.construct(ConnectRedis10, [{ client }]) as session.Store;
  const wrapped = {
    get: store.get.bind(store),
    set: store.set.bind(store),
    destroy: store.destroy.bind(store),
  };
  await expect(appOn(wrapped).sessions.ready()).rejects.toThrow(
    /"set" failed with "ERR syntax error".*connect-redis 8\.1 with ioredis/,
  );
});

test('connect-redis finds a Redis that is started after the gateway', async () => {
  const redis = await ownRedis();
  await redis.kill();
  const { app, sessions } = appOn(new ConnectRedis8({ client: connect(redis.url) }));
  await expect(sessions.ready()).rejects.toMatchObject({ code: 'store_unavailable' });
  await request(app).post('/mcp').expect(503);
  await redis.restart();
  await eventually(() => request(app).post('/mcp').expect(200), 5000);
});
