import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisServer, sharedRedisUrl, startRedis } from '../helpers/redis-server.ts';

const servers: RedisServer[] = [];
const clients: Redis[] = [];

afterEach(async () => {
  // To disconnect a client that has ended leaves a timer of two seconds behind.
  for (const client of clients.splice(0)) if (client.status !== 'end') client.disconnect();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(options?: Parameters<typeof startRedis>[0]): Promise<RedisServer> {
  const server = await startRedis(options);
  servers.push(server);
  return server;
}

function connectTo(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: null });
  redis.on('error', () => {});
  clients.push(redis);
  return redis;
}

test('a started server answers', async () => {
  const server = await start();
  expect(await connectTo(server.url).ping()).toBe('PONG');
});

test('arguments reach the server', async () => {
  const server = await start({ args: ['--maxmemory', '3mb'] });
  const [, maxmemory] = await connectTo(server.url).config('GET', 'maxmemory');
  expect(maxmemory).toBe(String(3 * 1024 * 1024));
});

test('a killed server refuses, and comes back empty on the same port', async () => {
  const server = await start();
  await connectTo(server.url).set('key', 'value');
  await server.kill();
  await expect(connectTo(server.url).ping()).rejects.toThrow(/ECONNREFUSED|closed/);
  await server.restart();
  expect(await connectTo(server.url).get('key')).toBeNull();
});

test('a frozen server is silent until it thaws', async () => {
  const server = await start();
  const redis = connectTo(server.url);
  await redis.ping();
  server.freeze();
  const pong = redis.ping();
  await expect(Promise.race([pong, quiet(200)])).resolves.toBe('quiet');
  server.thaw();
  await expect(pong).resolves.toBe('PONG');
});

test('a port that is taken is an error that says so', async () => {
  const { port } = await start();
  await expect(start({ port })).rejects.toThrow(/in use/i);
});

test('one test file shares one server', async () => {
  const url = await sharedRedisUrl();
  expect(await sharedRedisUrl()).toBe(url);
  expect(await connectTo(url).ping()).toBe('PONG');
});

function quiet(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('quiet'), ms));
}
