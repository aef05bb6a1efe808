/** A gateway that was there before, with one target and routes of its own, and two lines added. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
// In your project: from 'mcp-session-routing'.
import { mcpSessionRouting, sessionPlugin } from '../src/index.ts';
import { check } from './demo/check.ts';
import { openClient, post } from './demo/clients.ts';
import { startServers } from './demo/servers.ts';

const servers = await startServers(['mcp-a']);
const target = servers.origins.get('mcp-a') ?? '';

const app = express();
app.use(mcpSessionRouting()); // the first line
app.get('/health', (_req, res) => {
  res.send('fine');
});
app.use(
  createProxyMiddleware({
    pathFilter: '/mcp',
    target,
    plugins: [sessionPlugin], // the second line
  }),
);
app.post('/echo', express.json(), (req, res) => {
  res.json(req.body);
});

const server = createServer(app).listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const client = await openClient(`${origin}/mcp`);
const another = await openClient(`${origin}/mcp`);
const session = client.session() ?? '';
check(
  'a session counts its calls',
  [1, 2],
  [(await client.count()).count, (await client.count()).count],
);
check('another session has a count of its own', 1, (await another.count()).count);
check('an id that was never issued is 400', 400, await post(`${origin}/mcp`, 'nobody'));
check(
  'it never reached the server',
  0,
  servers.log().filter((entry) => entry.session === 'nobody').length,
);
await client.end();
check('an ended session is 404', 404, await post(`${origin}/mcp`, session));
check('the other session goes on', 2, (await another.count()).count);
await another.end();

const health = await fetch(`${origin}/health`);
check('other routes answer as before', [200, 'fine'], [health.status, await health.text()]);
const echo = await fetch(`${origin}/echo`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"a":[1,"ü"]}',
});
check('bodies reach them as before', '{"a":[1,"ü"]}', await echo.text());

server.close();
server.closeAllConnections();
await servers.stop();
