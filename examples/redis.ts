/** Two gateways, one Redis: a session that one of them opened is at home on the other. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { Redis } from 'ioredis';
// In your project: from 'mcp-session-routing'.
import {
  mcpSessionRouting,
  recommendedRedisOptions,
  RedisStore,
  sessionPlugin,
  sessionRouter,
} from '../src/index.ts';
import { findRedis } from './demo/redis-server.ts';
import { startServers } from './demo/servers.ts';
import { checkTwoGateways } from './demo/two-gateways.ts';

interface Gateway {
  url: string;
  close(): Promise<void>;
}

async function startGateway(redisUrl: string, backends: string[]): Promise<Gateway> {
  // Without these options ioredis lets a request wait for minutes when Redis is down.
  const client = new Redis(redisUrl, { ...recommendedRedisOptions });
  const store = new RedisStore({ client, prefix: 'mcp-example:' });
  const sessions = mcpSessionRouting(store, { backends });
  await sessions.ready();

  const app = express();
  app.use(sessions);
  app.all('/mcp', createProxyMiddleware({ router: sessionRouter, plugins: [sessionPlugin] }));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async close() {
      server.close();
      server.closeAllConnections();
      await sessions.close();
      client.disconnect();
    },
  };
}

const redis = await findRedis();
const servers = await startServers(['mcp-a', 'mcp-b', 'mcp-c']);
const backends = [...servers.origins.values()];
const one = await startGateway(redis.url, backends);
const other = await startGateway(redis.url, backends);

await checkTwoGateways([one.url, other.url], servers);

await Promise.all([one.close(), other.close()]);
await servers.stop();
await redis.stop();
