import http, { type Server } from 'node:http';
import { createRequire } from 'node:module';
import express, { type Express, type RequestHandler } from 'express';
import { createProxyMiddleware as createProxyMiddleware4 } from 'http-proxy-middleware';
import { createProxyMiddleware as createProxyMiddleware3 } from 'http-proxy-middleware3';
import {
  mcpSessionRouting,
  sessionForwarder,
  sessionPlugin,
  sessionRouter,
  type McpSessionRouting,
  type McpSessionRoutingOptions,
  type StoreLike,
} from '../../src/index.ts';
import { onCleanup } from './cleanup.ts';
import { listen, type Listening } from './listen.ts';
import { plainApp } from './plain-app.ts';

// The alias has no types of its own.
const express4 = createRequire(import.meta.url)('express4') as typeof express;

export type ExpressMajor = 4 | 5;
/** What calls the middleware: a major version of Express, or nothing but `node:http`. */
export type AppKind = ExpressMajor | 'none';
export type ProxyMajor = 3 | 4;
/** What sends requests on: a major version of http-proxy-middleware, or the package's own forwarder. */
export type ProxyKind = ProxyMajor | 'forward';

export interface GatewayOptions {
  /** @default 5 */
  readonly express?: AppKind;
  /** @default 4 */
  readonly proxy?: ProxyKind;
  readonly store?: StoreLike;
  readonly options?: McpSessionRoutingOptions<express.Request, express.Response>;
  /** Laid over `{ router: sessionRouter, plugins: [sessionPlugin] }`; a value of `undefined` takes that away. */
  readonly proxyOptions?: Readonly<Record<string, unknown>>;
  /** Called before the middleware is mounted. */
  readonly before?: (app: Express, sessions: McpSessionRouting) => void;
  /** Called between the middleware and the proxy. */
  readonly between?: (app: Express, sessions: McpSessionRouting) => void;
  /** Mounts the proxy. @default app.use(proxy), which takes every path that was not handled before */
  readonly mount?: (app: Express, proxy: RequestHandler) => void;
  readonly after?: (app: Express) => void;
  /** Leave the middleware out: what the app does without it. @default false */
  readonly bare?: boolean;
}

export interface Gateway extends Listening {
  /** `http://127.0.0.1:port`, without a path. */
  readonly url: string;
  readonly app: Express;
  readonly server: Server;
  /** The middleware; `close` of the gateway closes it too. */
  readonly sessions: McpSessionRouting;
  close(): Promise<void>;
}

/** The `express` of a major version; of the newest where only its body parsers are used. */
export function expressOf(kind: AppKind): typeof express {
  return kind === 4 ? express4 : express;
}

/** A proxy with the options of the package's own examples, and those given in the words of http-proxy-middleware. */
export function proxyOf(
  kind: ProxyKind,
  options: Readonly<Record<string, unknown>> = {},
): RequestHandler {
  if (kind === 'forward') return forwarderOf(options);
  const all = { router: sessionRouter, plugins: [sessionPlugin], ...options };
  // `undefined` in the options is not the same as nothing to the proxies.
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  // The two majors differ in types only where these options do not.
  const created: unknown =
    kind === 3 ? createProxyMiddleware3(given) : createProxyMiddleware4(given);
  return created as RequestHandler;
}

function forwarderOf(options: Readonly<Record<string, unknown>>): RequestHandler {
  const { secure, ca, ...rest } = options;
  const tls =
    secure === false || ca
      ? { tls: { rejectUnauthorized: secure !== false, ca: ca as string } }
      : {};
  // What it does not know it refuses.
  return sessionForwarder({ ...rest, ...tls });
}

/** Starts an Express app with the middleware in front of a proxy; it is stopped after the test. */
export async function gateway(options: GatewayOptions = {}): Promise<Gateway> {
  const { express: kind = 5, proxy = 4, mount = mountEverywhere, bare = false } = options;
  const app = kind === 'none' ? plainApp() : expressOf(kind)();
  // Otherwise Express prints the stack of every error.
  app.set('env', 'test');
  const sessions = mcpSessionRouting(options.store, options.options);
  options.before?.(app, sessions);
  if (!bare) app.use(sessions);
  options.between?.(app, sessions);
  mount(app, proxyOf(proxy, options.proxyOptions));
  options.after?.(app);
  const server = http.createServer(app);
  const listening = await listen(server);
  const started: Gateway = {
    ...listening,
    url: listening.origin,
    app,
    server,
    sessions,
    async close() {
      await sessions.close();
      await listening.close();
    },
  };
  onCleanup(() => started.close());
  return started;
}

function mountEverywhere(app: Express, proxy: RequestHandler): void {
  app.use(proxy);
}
