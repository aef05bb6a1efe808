/** Three replicas of one MCP server behind a load balancer that knows no sessions: no gateway, and nothing is lost. */
import { randomBytes } from 'node:crypto';
import { startBalancer } from './demo/balancer.ts';
import { check } from './demo/check.ts';
import { openClient, runClients, type DemoClient } from './demo/clients.ts';
import { findRedis } from './demo/redis-server.ts';
import { callsPerSession } from './demo/request-log.ts';
import { startServers } from './demo/servers.ts';

const CLIENTS = 10;
const CALLS = 30;

const redis = await findRedis();
const replicas = await startServers(['mcp-a', 'mcp-b', 'mcp-c'], {
  script: '../replica.ts',
  env: { REDIS_URL: redis.url, STORE_SECRET: randomBytes(32).toString('base64') },
});
const balancer = await startBalancer([...replicas.origins.values()]);

// What was never called yet is slow, and Redis is not waited for long.
await runClients(balancer.url, replicas.origins.size, 1);

const { sessions, answered } = await runClients(balancer.url, CLIENTS, CALLS);
const rows = callsPerSession(replicas.log(), sessions);
const own = rows.reduce((total, row) => total + row.own, 0);
const total = CLIENTS * CALLS;
check(`${own} of ${total} calls on the owner, by the replicas' logs`, total, own);
check('all of them were answered', total, answered);
const owners = new Set(rows.map(({ owner }) => owner));
check('all three replicas hold sessions', replicas.origins.size, owners.size);

const clients = await Promise.all(Array.from({ length: 9 }, () => openClient(balancer.url)));
const before = await Promise.all(clients.map((client) => client.count()));
const killed = before[0]?.instance ?? '';
await replicas.kill(killed);
const theirs = before.filter(({ instance }) => instance === killed).length;

let told = 0;
const again = await Promise.all(clients.map(goOn));
check(`${told} clients of ${killed}, which was killed, were told 404`, theirs, told);
const counts = again.filter((count, at) => count === (before[at]?.instance === killed ? 1 : 2));
check('they start again and work, and all others just go on', clients.length, counts.length);

/** The next call; on 404 in a new session, as the specification asks of clients. */
async function goOn(client: DemoClient): Promise<number> {
  try {
    return (await client.count()).count;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 404) throw error;
    told += 1;
    return (await (await openClient(balancer.url)).count()).count;
  }
}

balancer.stop();
await replicas.stop();
await redis.stop();
process.exit(0);
