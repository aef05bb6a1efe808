import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { onCleanup } from '../../helpers/cleanup.ts';
import { readyComposeGateway, runComposeGateway, serviceOf } from '../../helpers/compose.ts';
import { counterServers, openCounting } from '../../helpers/counter-server.ts';
import { replaced } from '../../helpers/markdown.ts';
import { freePort, sharedRedisUrl, startRedis } from '../../helpers/redis-server.ts';
import { until } from '../../helpers/until.ts';

test('the gateways, with the environment of their services, share their sessions', async () => {
  const servers = await counterServers(2);
  const redis = await sharedRedisUrl();
  const [one, other] = await Promise.all(
    ['gateway-1', 'gateway-2'].map((name) => readyComposeGateway(name, servers, redis)),
  );
  const client = await openCounting(one?.origin ?? '');
  const [name] = (await client.count()).split(' ');
  client.at = other?.origin ?? '';
  expect(await client.count()).toBe(`${name} 2`);
});

test('the health check knows a gateway that has not become ready', async () => {
  const nowhere = `redis://127.0.0.1:${await freePort()}`;
  const gateway = await runComposeGateway('gateway-1', await counterServers(1), nowhere);
  expect(await healthOf(gateway.origin)).toBe(1);
});

test('a gateway that has become ready stays so without its Redis, until it is told to stop', async () => {
  const redis = await startRedis();
  onCleanup(() => redis.stop());
  const gateway = await runComposeGateway('gateway-1', await counterServers(1), redis.url);
  await until(async () => (await healthOf(gateway.origin)) === 0);
  await redis.kill();
  expect(await healthOf(gateway.origin)).toBe(0);
  await gateway.stop();
  expect(await gateway.exited).toEqual([0, null]);
  expect(await healthOf(gateway.origin)).toBe(1);
});

test('the Redis evicts no record and keeps nothing on disk', async () => {
  const [, ...args] = serviceOf('redis').command ?? [];
  const redis = await startRedis({ args });
  onCleanup(() => redis.stop());
  const client = new Redis(redis.url);
  onCleanup(() => client.disconnect());
  expect(await client.config('GET', 'maxmemory-policy', 'maxmemory', 'save')).toEqual(
    expect.arrayContaining([
      'maxmemory-policy',
      'noeviction',
      'maxmemory',
      '268435456',
      'save',
      '',
    ]),
  );
});

/** What the health check of the service exits with, for a gateway of ours. */
async function healthOf(origin: string): Promise<unknown> {
  const [, , ...args] = serviceOf('gateway-1').healthcheck?.test ?? [];
  const [flag = '', code = ''] = args;
  const script = replaced(code, { 'http://127.0.0.1:3000': origin });
  const child = spawn(process.execPath, [flag, script], { stdio: 'ignore' });
  const [exit] = (await once(child, 'exit')) as [unknown];
  return exit;
}
