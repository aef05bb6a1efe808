/**
 * Runs variants, all in one process: the same JIT state for all of them, so that a difference of a few
 * microseconds is one. VARIANTS names them, TARGET is the backend, REDIS_URL the store.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { redis, VARIANTS, type VariantName } from './variants.ts';

const PINGS = 200;

const names = (process.env['VARIANTS'] ?? '').split(',') as VariantName[];

async function listen(name: VariantName): Promise<string> {
  const listener = await VARIANTS[name](process.env['TARGET'] ?? '');
  const server = http.createServer(listener);
  server.keepAliveTimeout = 120_000;
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What this process can be asked. */
const ANSWERS: Readonly<Record<string, () => unknown>> = {
  cpu: () => process.cpuUsage(),
  memory: () => {
    globalThis.gc?.();
    return process.memoryUsage();
  },
  /** Without collecting: what is there at this moment. */
  now: () => process.memoryUsage(),
  /** Times of a round trip to the store (ms). */
  pings: async () => {
    const times: number[] = [];
    for (let ping = 0; ping < PINGS; ping += 1) {
      const began = performance.now();
      await redis?.ping();
      times.push(performance.now() - began);
    }
    return times;
  },
};
process.on('message', (question) => {
  void (async () => process.send?.(await ANSWERS[String(question)]?.()))();
});
process.on('disconnect', () => process.exit(0));

if (redis) await once(redis, 'ready');
const urls: string[] = [];
for (const name of names) urls.push(await listen(name));
process.send?.(urls);
