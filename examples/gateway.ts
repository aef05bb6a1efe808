/** A gateway in front of MCP servers, to run as it is or to copy. Its settings are in README.md. */
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { Cluster, Redis } from 'ioredis';
// In your project: from 'mcp-session-routing'.
import { mcpSessionRouting, RedisStore, sessionPlugin, sessionRouter } from '../src/index.ts';
import { connectRedis } from './gateway-redis.ts';
import { listen } from './gateway-server.ts';
import { readSettings } from './gateway-settings.ts';

/** How long requests may take to finish after SIGTERM, in milliseconds. */
const GRACE = 10_000;

let stopping = false;
/** What ends when the gateway ends, last things first. */
const closers: (() => unknown)[] = [];

async function start(): Promise<void> {
  const settings = readSettings(process.env);
  const demo = settings.backends ? undefined : await import('./demo/demo.ts');
  const servers = await demo?.startDemoServers(settings.mcpPath);
  closers.push(() => servers?.stop());
  const backends = settings.backends ?? [...(servers?.origins.values() ?? [])];

  const redis = settings.redis && watched(connectRedis(settings.redis));
  const store = redis && new RedisStore({ client: redis });
  const sessions = mcpSessionRouting(store, { backends, ...settings.sessionOptions });
  closers.push(
    () => redis?.disconnect(),
    () => sessions.close(),
  );

  const app = express();
  app.disable('x-powered-by');
  app.use(sessions);
  const proxy = createProxyMiddleware({ router: sessionRouter, plugins: [sessionPlugin] });
  app.all([settings.mcpPath, /^\/\.well-known\//], proxy);

  const storeAnswers = await sessions.ready().then(
    () => true,
    (error: Error) => console.warn(`gateway: the store does not answer: ${error.message}`),
  );
  const server = await listen(app, settings.port, settings.host);
  closers.push(() => server.drain(GRACE));
  const url = `${server.origin}${settings.mcpPath}`;

  if (demo && servers && storeAnswers) console.log(await demo.runDemo(servers, url));
  console.log(`listening on ${url}`);
  if (demo) console.log(demo.commandsToTry(url));
}

/** Says when Redis does not answer, and when it does again. */
function watched(redis: Redis | Cluster): Redis | Cluster {
  let down = false;
  redis.on('error', (error: NodeJS.ErrnoException) => {
    if (!down) console.warn(`gateway: redis: ${error.code ?? error.message}`);
    down = true;
  });
  redis.on('ready', () => {
    if (down) console.warn('gateway: redis answers again');
    down = false;
  });
  return redis;
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const close of closers.toReversed()) await close();
  process.exit(0);
}

process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
start().catch((error: Error) => {
  // What was on its way when the gateway was stopped fails: the clients of the demo, for one.
  if (stopping) return;
  console.error(`gateway: ${error.message}`);
  process.exit(1);
});
