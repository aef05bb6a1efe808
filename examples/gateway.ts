/** A gateway in front of MCP servers, to run as it is or to copy. Its settings are in README.md. */
import express, { type RequestHandler } from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { Cluster, Redis } from 'ioredis';
// In your project: from 'mcp-session-routing'.
import {
  mcpSessionRouting,
  RedisStore,
  sessionForwarder,
  sessionPlugin,
  sessionRouter,
  type SessionEvents,
  type SessionRoutingError,
} from '../src/index.ts';
import { connectRedis } from './gateway-redis.ts';
import { listen } from './gateway-server.ts';
import { readSettings, type ProxyName } from './gateway-settings.ts';
import { withPassword } from './gateway-status.ts';

/** How long requests may take to finish after SIGTERM, in milliseconds. */
const GRACE = 10_000;
/** While BACKENDS_FILE cannot be used that is said once in this time, in milliseconds. */
const WARNING_INTERVAL = 10_000;

let serving = false;
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
  const sessions = mcpSessionRouting(store, {
    backends,
    on: warnings(),
    sse: true,
    ...settings.sessionOptions,
  });
  closers.push(
    () => redis?.disconnect(),
    () => sessions.close(),
  );

  const app = express();
  app.disable('x-powered-by');
  if (settings.status) {
    const auth = withPassword(settings.status.password);
    app.use(settings.status.path, sessions.statusPage({ auth }));
  }
  app.use(sessions);
  const proxy = proxyOf(settings.proxy);
  app.all([settings.mcpPath, '/sse', /^\/\.well-known\//], proxy);
  // Messages of HTTP+SSE: the session is in the query. What the headers decide may come to the endpoint only, or
  // whoever has a session could reach any path of its server.
  app.post(settings.messagePath ?? /\/messages?\/?$/, (req, res, next) => {
    const byHeader =
      req.get('Mcp-Session-Id') !== undefined ||
      (req.get('MCP-Protocol-Version') ?? '') >= '2026-07-28';
    if (!byHeader && /[?&]session(?:Id|_id)=/.test(req.url)) void proxy(req, res, next);
    else next();
  });

  const storeAnswers = await sessions.ready().then(
    () => true,
    (error: SessionRoutingError) => {
      if (error.code === 'no_backend') throw error;
      console.warn(`gateway: the store does not answer: ${error.message}`);
    },
  );
  serving = true;
  const server = await listen(app, settings.port, settings.host);
  closers.push(() => Promise.all([server.drain(GRACE), sessions.close({ drain: GRACE })]));
  const url = `${server.origin}${settings.mcpPath}`;

  if (demo && servers && storeAnswers) console.log(await demo.runDemo(servers, url));
  console.log(`listening on ${url}`);
  if (settings.status) console.log(`status page: ${server.origin}${settings.status.path}`);
  if (demo) console.log(demo.commandsToTry(url));
}

function proxyOf(name: ProxyName): RequestHandler {
  if (name === 'forward') return sessionForwarder();
  return createProxyMiddleware({ router: sessionRouter, plugins: [sessionPlugin] });
}

function warnings(): SessionEvents {
  let warnedAt = -Infinity;
  return {
    backendDown: ({ backend }) => console.warn(`gateway: ${backend} is down`),
    backendUp: ({ backend }) => console.warn(`gateway: ${backend} is up again`),
    discoveryFailed({ error }) {
      // At the start it ends the gateway, which tells it.
      if (!serving || performance.now() - warnedAt < WARNING_INTERVAL) return;
      warnedAt = performance.now();
      console.warn(`gateway: ${(error as Error).message}; the backends stay as they were`);
    },
  };
}

/** Says when Redis does not answer, and when it does again. */
function watched(redis: Redis | Cluster): Redis | Cluster {
  let down = false;
  redis.on('error', (error: NodeJS.ErrnoException & { command?: { name: string } }) => {
    if (error.command?.name === 'select') {
      // The client goes on all the same.
      console.warn(`gateway: redis: ${error.message}; sessions are kept in database 0`);
      return;
    }
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
