/* The gateway that is fuzzed, in a process of its own, so that its end is noticed. Tells its port by IPC. */
import http from 'node:http';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import { createProxyMiddleware as createProxyMiddleware4 } from 'http-proxy-middleware';
import { createProxyMiddleware as createProxyMiddleware3 } from 'http-proxy-middleware3';
import {
  mcpSessionRouting,
  sessionForwarder,
  sessionPlugin,
  sessionRouter,
} from '../../../src/index.ts';
import { listen } from '../../helpers/listen.ts';

const [proxy, transports, ...backends] = process.argv.slice(2);

function proxyHandler(): RequestHandler {
  if (proxy === 'forward') return sessionForwarder();
  const options = { router: sessionRouter, plugins: [sessionPlugin] };
  const created: unknown =
    proxy === '3' ? createProxyMiddleware3(options) : createProxyMiddleware4(options);
  return created as RequestHandler;
}

/** Whatever reaches it is a failure that nobody has foreseen: it is told on standard error, where it is seen. */
const tellError: ErrorRequestHandler = (error: unknown, req, res, _next) => {
  console.error(`next(error) for ${req.method} ${req.url}:`, error);
  if (res.headersSent) res.destroy();
  else res.status(500).end();
};

const app = express();
const all = transports === 'all';
app.use(mcpSessionRouting(null, { backends, sse: all, affinity: { tasks: all } }));
app.use(proxyHandler());
app.use(tellError);
const { port } = await listen(http.createServer(app));
process.send?.({ listening: { port } });
