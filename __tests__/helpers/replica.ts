import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Express, Request, Response } from 'express';
import {
  mcpSessionRouting,
  RedisStore,
  type McpSessionRouting,
  type McpSessionRoutingOptions,
  type StoreLike,
} from '../../src/index.ts';
import { onCleanup } from './cleanup.ts';
import { connectTo } from './fault-scene.ts';
import { expressOf, type ExpressMajor } from './gateway.ts';
import { listen, type Listening } from './listen.ts';
import { sharedRedisUrl } from './redis-server.ts';
import { until } from './until.ts';

/** A request as the app of a replica has got it. */
export interface Served {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly forwarded: boolean;
}

export interface Replica extends Listening {
  readonly name: string;
  /** The same as `origin`. */
  readonly url: string;
  readonly sessions: McpSessionRouting;
  /** What its own app was asked. */
  readonly served: Served[];
}

export interface ReplicaOptions {
  readonly name?: string;
  readonly express?: ExpressMajor;
  readonly store: StoreLike;
  readonly options?: McpSessionRoutingOptions<Request, Response>;
  /** Makes the app, if it is not to be a bare one. */
  readonly app?: () => Express;
  /** Called before the middleware is mounted. */
  readonly before?: (app: Express) => void;
  /** Called with the middleware. */
  readonly made?: (sessions: McpSessionRouting) => void;
  /** Where it is mounted. @default '/' */
  readonly at?: string;
  /** What serves MCP. @default a scripted server that behaves like a stateful one */
  readonly serve?: (app: Express, name: string) => void;
}

/** Starts an Express app that serves MCP itself, with the middleware in front; it is stopped after the test. */
export async function replica(given: ReplicaOptions): Promise<Replica> {
  const { name = 'r', express: major = 5, store, options, at = '/' } = given;
  const app = given.app?.() ?? expressOf(major)();
  app.set('env', 'test');
  const server = http.createServer(app);
  const listening = await listen(server);
  const sessions = mcpSessionRouting(store, { self: () => listening.origin, ...options });
  given.made?.(sessions);
  const served: Served[] = [];
  given.before?.(app);
  app.use(at, sessions);
  const serve = given.serve ?? ((to, by) => serveScripted(to, by, { served, sessions }));
  serve(app, name);
  const started: Replica = {
    ...listening,
    name,
    url: listening.origin,
    sessions,
    served,
    async close() {
      await sessions.close();
      await listening.close();
    },
  };
  onCleanup(() => started.close());
  return started;
}

/** A store in the Redis of all tests, of which nobody else knows. */
export async function redisStore(): Promise<RedisStore> {
  const client = connectTo(await sharedRedisUrl());
  await until(() => client.status === 'ready');
  return new RedisStore({ client, prefix: `${randomUUID()}:` });
}

/** Starts several on one store. */
export function replicas(count: number, options: ReplicaOptions): Promise<Replica[]> {
  const names = Array.from({ length: count }, (_, index) => `r${index}`);
  return Promise.all(names.map((name) => replica({ ...options, name })));
}

function serveScripted(
  app: Express,
  name: string,
  { served, sessions }: Pick<Replica, 'served' | 'sessions'>,
): void {
  const open = new Set<string>();
  app.all(/^\/mcp/, (req, res, next) => {
    answer(req, res).catch(next);
  });

  async function answer(req: Request, res: Response): Promise<void> {
    const { method, originalUrl: url, headers } = req;
    const body = await textOf(req);
    const forwarded = sessions.isForwarded(req);
    served.push({ method, url, headers: { ...headers }, body, forwarded });
    const id = req.get('mcp-session-id');
    if (id === undefined && body.includes('"initialize"')) {
      const opened = `${name}-${randomUUID()}`;
      open.add(opened);
      res.set('Mcp-Session-Id', opened).json({ jsonrpc: '2.0', id: 1, result: { by: name } });
    } else if (id !== undefined && !open.has(id)) {
      res.status(404).json({ jsonrpc: '2.0', error: { code: -32001, message: 'not here' } });
    } else if (method === 'GET') {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(`data: ${name}\n\n`);
    } else if (method === 'DELETE') {
      open.delete(id ?? '');
      res.status(200).end();
    } else {
      res.json({ jsonrpc: '2.0', id: 2, result: { by: name, url, body } });
    }
  }
}

async function textOf(req: IncomingMessage & { readonly body?: unknown }): Promise<string> {
  if (req.body !== undefined) return JSON.stringify(req.body);
  let text = '';
  for await (const chunk of req.setEncoding('utf8')) text += chunk as string;
  return text;
}

/** Each request goes to the next one, on a connection of its own: what a load balancer does that knows no sessions. */
export async function roundRobin(all: readonly Listening[]): Promise<Listening & { url: string }> {
  let turn = 0;
  const server = http.createServer((req: IncomingMessage, res: ServerResponse) => {
    const { port } = all[turn++ % all.length] ?? { port: 0 };
    const { method, url: path, headers } = req;
    const to = http.request({ port, host: '127.0.0.1', agent: false, method, path, headers });
    to.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      res.flushHeaders();
      answer.pipe(res);
      answer.on('close', () => answer.complete || res.destroy());
    });
    to.on('error', () => res.destroy());
    res.on('close', () => to.destroy());
    req.pipe(to);
  });
  const listening = await listen(server);
  onCleanup(() => listening.close());
  return { ...listening, url: listening.origin };
}
