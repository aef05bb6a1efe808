import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';
import { createProxyMiddleware as version4 } from 'http-proxy-middleware';
import { createProxyMiddleware as version3 } from 'http-proxy-middleware3';
import { mcpSessionRouting, sessionForwarder, sessionPlugin, sessionRouter } from '../src/index.ts';
import { bareUndici } from './bare-undici.ts';

// All variants in one process: the same JIT state, so that a difference of a few microseconds is one.
const target = process.argv[2] ?? '';

async function listen(...handlers: RequestHandler[]): Promise<string> {
  const app = express();
  const [middleware, proxy] = handlers.length === 2 ? handlers : [undefined, handlers[0]];
  if (middleware) app.use(middleware);
  if (proxy) app.all('/mcp', proxy);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

async function plain(): Promise<string> {
  const sessions = mcpSessionRouting(null, { backends: target });
  const forward = sessionForwarder();
  const server = http.createServer((req, res) =>
    sessions(req as never, res as never, () => forward(req, res)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

const agent = (): http.Agent => new http.Agent({ keepAlive: true });
const routed = { router: sessionRouter, plugins: [sessionPlugin] };

const urls = {
  'hpm4 plain': await listen(version4({ target, agent: agent() })),
  'hpm4 plain again': await listen(version4({ target, agent: agent() })),
  'hpm4 routed': await listen(mcpSessionRouting(null, { backends: target }), version4(routed)),
  'hpm3 plain': await listen(version3({ target, agent: agent() })),
  'hpm3 plain again': await listen(version3({ target, agent: agent() })),
  'hpm3 routed': await listen(mcpSessionRouting(null, { backends: target }), version3(routed)),
  'undi plain': await listen(bareUndici(target)),
  'undi forward': await listen(
    mcpSessionRouting(null, { backends: target }),
    sessionForwarder() as RequestHandler,
  ),
  'undi http': await plain(),
};

process.on('message', () => process.send?.(process.cpuUsage()));
process.on('disconnect', () => process.exit(0));
process.send?.(urls);
