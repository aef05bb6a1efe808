/** Metrics for Prometheus in both ways, by OpenTelemetry and by prom-client, scraped after real clients have called. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
// In your project: from 'mcp-session-routing'.
import { mcpSessionRouting, sessionForwarder } from '../src/index.ts';
import { check } from './demo/check.ts';
import { openClient, post } from './demo/clients.ts';
import { startServers } from './demo/servers.ts';
import { prometheusOf } from './metrics/opentelemetry.ts';
import { registryOf } from './metrics/prom-client.ts';

const servers = await startServers(['mcp-a', 'mcp-b']);
const { telemetry, scraped } = prometheusOf();
const backends = [...servers.origins.values()];
const sessions = mcpSessionRouting(null, { backends, telemetry, debug: true });
const registry = registryOf(sessions);

const app = express();
// Before the middleware, and for Prometheus only: put your own check here.
app.get('/metrics/opentelemetry', scraped);
app.get('/metrics', (_req, res, next) => {
  registry.metrics().then((text) => res.type(registry.contentType).send(text), next);
});
app.use(sessions);
app.all('/mcp', sessionForwarder());

const server = createServer(app).listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const clients = [await openClient(`${origin}/mcp`), await openClient(`${origin}/mcp`)];
for (const client of clients) for (let call = 0; call < 3; call += 1) await client.count();
await post(`${origin}/mcp`, 'nobody');
for (const client of clients) await client.end();

/** The value of the line that begins so. */
async function scrape(path: string, line: string): Promise<number> {
  const text = await (await fetch(origin + path)).text();
  const found = text.split('\n').find((each) => each.startsWith(line));
  return Number(found?.split(' ')[1]);
}

const label = 'mcp_session_routing_';
check(
  'two sessions were opened',
  [2, 2],
  [
    await scrape('/metrics', 'mcp_session_routing_sessions_opened_total'),
    await scrape('/metrics/opentelemetry', 'mcp_session_routing_sessions_opened_total'),
  ],
);
check(
  'both were deleted',
  [2, 2],
  [
    await scrape('/metrics', 'mcp_session_routing_sessions_ended_total{reason="deleted"'),
    await scrape(
      '/metrics/opentelemetry',
      `mcp_session_routing_sessions_ended_total{${label}reason="deleted"`,
    ),
  ],
);
check(
  'one id was unknown',
  [1, 1],
  [
    await scrape('/metrics', 'mcp_session_routing_refusals_total{reason="unknown_session"'),
    await scrape(
      '/metrics/opentelemetry',
      `mcp_session_routing_refusals_total{${label}reason="unknown_session"`,
    ),
  ],
);

server.close();
server.closeAllConnections();
await sessions.close();
await servers.stop();
