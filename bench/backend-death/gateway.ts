/** The gateway of the README, with its defaults. */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { mcpSessionRouting, sessionPlugin, sessionRouter } from '../../src/index.ts';

const app = express();
const backends = (process.env['BACKENDS'] ?? '').split(',');

app.use(mcpSessionRouting(null, { backends }));
app.all('/mcp', createProxyMiddleware({ router: sessionRouter, plugins: [sessionPlugin] }));
const server = app.listen(Number(process.env['PORT']), '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit(0));
