import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';
import { createProxyMiddleware as version4 } from 'http-proxy-middleware';
import { createProxyMiddleware as version3 } from 'http-proxy-middleware3';
import { mcpSessionRouting, sessionForwarder, sessionPlugin, sessionRouter } from '../src/index.ts';
import { bareUndici } from './bare-undici.ts';

/** One way of forwarding, and what it is held against. */
export interface Variant {
  readonly url: string;
  readonly against?: string;
}

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

const routing = (): RequestHandler => mcpSessionRouting(null, { backends: target });

const variants: Record<string, Variant> = {
  'http-proxy-middleware 4': { url: await listen(version4({ target, agent: agent() })) },
  'the same again': {
    url: await listen(version4({ target, agent: agent() })),
    against: 'http-proxy-middleware 4',
  },
  'http-proxy-middleware 4, routed': {
    url: await listen(routing(), version4(routed)),
    against: 'http-proxy-middleware 4',
  },
  'http-proxy-middleware 3': { url: await listen(version3({ target, agent: agent() })) },
  'http-proxy-middleware 3, routed': {
    url: await listen(routing(), version3(routed)),
    against: 'http-proxy-middleware 3',
  },
  'Express and undici alone': { url: await listen(bareUndici(target)) },
  'sessionForwarder, routed': {
    url: await listen(routing(), sessionForwarder() as RequestHandler),
    against: 'Express and undici alone',
  },
  'sessionForwarder, routed, against the proxy': {
    url: await listen(routing(), sessionForwarder() as RequestHandler),
    against: 'http-proxy-middleware 4',
  },
  'sessionForwarder, routed, without Express': {
    url: await plain(),
    against: 'http-proxy-middleware 4',
  },
};

process.on('message', () => process.send?.(process.cpuUsage()));
process.on('disconnect', () => process.exit(0));
process.send?.(variants);
