import http, { type RequestListener } from 'node:http';
import fastifyProxy from '@fastify/http-proxy';
import express, { type RequestHandler } from 'express';
import fastify from 'fastify';
import { createProxyMiddleware as version4 } from 'http-proxy-middleware';
import { createProxyMiddleware as version3 } from 'http-proxy-middleware3';
import { Redis } from 'ioredis';
import {
  mcpSessionRouting,
  recommendedRedisOptions,
  sessionForwarder,
  sessionPlugin,
  sessionRouter,
} from '../../src/index.ts';
import { bareUndici } from './bare-undici.ts';

type Listener = RequestListener | Promise<RequestListener>;

const agent = (): http.Agent => new http.Agent({ keepAlive: true });
/** The store of all variants; none: memory. */
export const redis =
  process.env['REDIS_URL'] === undefined
    ? undefined
    : new Redis(process.env['REDIS_URL'], recommendedRedisOptions);
const routing = (target: string): RequestHandler => mcpSessionRouting(redis, { backends: target });

function app(...handlers: RequestHandler[]): RequestListener {
  // As Express recommends: a gateway passes on what the backend says it is.
  const made = express().disable('x-powered-by');
  const proxy = handlers.pop();
  for (const middleware of handlers) made.use(middleware);
  if (proxy) made.all('/mcp', proxy);
  return made;
}

/** The ways of forwarding that are held against each other. Proxies have the options that their own documentation recommends. */
export const VARIANTS = {
  plain4: (target) => app(version4({ target, agent: agent() })),
  routed4: (target) => app(routing(target), version4({ target, plugins: [sessionPlugin] })),
  recommended4: (target) =>
    app(
      routing(target),
      version4({ router: sessionRouter, plugins: [sessionPlugin], ejectPlugins: true }),
    ),
  plain3: (target) => app(version3({ target, agent: agent() })),
  routed3: (target) => app(routing(target), version3({ target, plugins: [sessionPlugin] })),
  recommended3: (target) =>
    app(
      routing(target),
      version3({ router: sessionRouter, plugins: [sessionPlugin], ejectPlugins: true }),
    ),
  bare: (target) => app(bareUndici(target)),
  'bare-node': (target) => bareUndici(target),
  forward: (target) => app(routing(target), sessionForwarder() as RequestHandler),
  'forward-node': (target) => {
    const sessions = routing(target);
    const forward = sessionForwarder();
    return (req, res) => sessions(req as never, res as never, () => forward(req, res));
  },
  fastify: async (target) => {
    let listener: RequestListener = () => {};
    const made = fastify({
      serverFactory: (given) => {
        listener = given;
        return http.createServer();
      },
    });
    await made.register(fastifyProxy, { upstream: target });
    await made.ready();
    return listener;
  },
} satisfies Record<string, (target: string) => Listener>;

export type VariantName = keyof typeof VARIANTS;
