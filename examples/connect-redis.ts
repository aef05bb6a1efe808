/**
 * Two gateways that keep MCP sessions where express-session keeps web sessions: connect-redis.
 *
 * connect-redis 8.1 speaks to ioredis and to node-redis. From version 9 on it speaks to node-redis
 * only: with ioredis it is refused when the gateway starts.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RedisStore } from 'connect-redis';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { Redis } from 'ioredis';
// In your project: from 'mcp-session-routing'.
import {
  mcpSessionRouting,
  recommendedRedisOptions,
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
  const client = new Redis(redisUrl, { ...recommendedRedisOptions });
  // A prefix of its own: the default one, `sess:`, is where the web sessions are.
  const store = new RedisStore({ client, prefix: 'mcp-example-connect:' });
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
