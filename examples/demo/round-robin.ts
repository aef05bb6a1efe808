import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

/** What a gateway does without this package: each request goes to the next server. */
export async function startRoundRobin(
  origins: string[],
  mcpPath: string,
): Promise<{ url: string; stop(): void }> {
  let turn = 0;
  const app = express();
  const router = (): string => origins[turn++ % origins.length] ?? '';
  app.all(mcpPath, createProxyMiddleware({ router }));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${mcpPath}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
