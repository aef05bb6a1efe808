/** An Express server of MCP, to run as often as you like behind a load balancer that knows no sessions. */
import express from 'express';
import { Redis } from 'ioredis';
// In your project: from 'mcp-session-routing'.
import { mcpSessionRouting, recommendedRedisOptions } from '../src/index.ts';
import { mcpHandler } from './demo/mcp-handler.ts';
import { serve } from './demo/serve.ts';

/** How long requests may take to finish after SIGTERM, in milliseconds. */
const GRACE = 10_000;

const redis = new Redis(process.env.REDIS_URL ?? '', { ...recommendedRedisOptions });
redis.on('error', (error) => console.warn(`replica: redis: ${error.message}`));

const sessions = mcpSessionRouting(redis, {
  // Where the other replicas reach this one: the address of its pod, for instance.
  self: () => process.env.SELF ?? replica.origin,
  // The same on all replicas: only what is signed with it says where requests may be forwarded to.
  secret: process.env.STORE_SECRET ?? '',
});

const app = express();
app.use('/mcp', sessions);
app.use(express.json({ limit: '4mb' }));
app.all('/mcp', mcpHandler(process.env.INSTANCE ?? `mcp-${process.pid}`));
await sessions.ready();
const replica = await serve(app);

process.on('SIGTERM', () => {
  // It goes on listening: the other replicas forward to it what belongs to calls that are on their way.
  void sessions.close({ drain: GRACE }).then(() => process.exit(0));
});
