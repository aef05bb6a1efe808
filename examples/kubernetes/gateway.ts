/** The gateway of gateway.yaml, in front of the servers of mcp.yaml. README.md explains all three line by line. */
import { setTimeout as pause } from 'node:timers/promises';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { Redis } from 'ioredis';
// In your project: from 'mcp-session-routing'.
import {
  dnsBackends,
  mcpSessionRouting,
  recommendedRedisOptions,
  RedisStore,
  sessionPlugin,
  sessionRouter,
} from '../../src/index.ts';
import { listen } from '../gateway-server.ts';

const port = Number(required('PORT'));
const drain = Number(required('DRAIN_SECONDS')) * 1000;

const redis = new Redis(required('REDIS_URL'), { ...recommendedRedisOptions });
redis.on('error', (error: NodeJS.ErrnoException) => {
  console.warn(`gateway: redis: ${error.code ?? error.message}`);
});

const sessions = mcpSessionRouting(new RedisStore({ client: redis }), {
  backends: dnsBackends(required('BACKENDS_URL'), { srv: required('BACKENDS_SRV') }),
  unknownSessionStatus: 404,
});

let ready = false;
let stopping = false;

const app = express();
app.disable('x-powered-by');
// This process runs. Nothing else is asked: no restart mends Redis, or a server.
app.get('/livez', (_req, res) => {
  res.send('alive');
});
// Once ready it stays ready: without Redis the sessions that it remembers go on, and the others get 503.
app.get('/readyz', (_req, res) => {
  res.status(ready && !stopping ? 200 : 503).send(ready && !stopping ? 'ready' : 'not ready');
});
app.use(sessions);
app.all(
  ['/mcp', /^\/\.well-known\//],
  createProxyMiddleware({ router: sessionRouter, plugins: [sessionPlugin] }),
);

// Longer than the load balancer in front keeps an unused connection: it must be the one that closes it.
const server = await listen(app, port, '0.0.0.0', { keepAliveTimeout: 75_000 });
// Kubernetes sends SIGTERM when preStop is over: from then on nobody new comes.
process.once('SIGTERM', () => {
  stop().catch((error: Error) => {
    console.error(`gateway: ${error.message}`);
    process.exit(1);
  });
});

console.log(`gateway: listening on port ${port}`);
await becomeReady();

async function becomeReady(): Promise<void> {
  while (!ready) {
    try {
      await sessions.ready();
      ready = true;
      console.log('gateway: ready');
    } catch (error) {
      console.warn(`gateway: not ready: ${(error as Error).message}`);
      await pause(1000);
    }
  }
}

async function stop(): Promise<void> {
  stopping = true; // readiness fails
  // No new connections and sessions, streams end, requests finish; each answer is the last one of its connection.
  await Promise.all([server.drain(drain), sessions.close({ drain })]);
  redis.disconnect();
  process.exit(0);
}

function required(name: string): string {
  const value = process.env[name];
  if (value) return value;
  console.error(`gateway: ${name} is not set; gateway.yaml says what it is`);
  process.exit(1);
}
