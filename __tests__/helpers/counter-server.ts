import { randomUUID } from 'node:crypto';
import http, { type IncomingHttpHeaders } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { onCleanup } from './cleanup.ts';
import { createClient, type RealClient } from './e2e-clients.ts';
import { listen, type Listening } from './listen.ts';

export interface CounterServer extends Listening {
  readonly name: string;
  /** The headers of each request, in the order of arrival. */
  readonly heads: IncomingHttpHeaders[];
  /** Ids of the sessions that it has opened. */
  readonly sessions: readonly string[];
  /** Runs before each answer of its tool. */
  before: () => unknown;
}

/**
 * A stateful server of the official SDK, in this process. Its tool `count` answers with the server's name and how
 * often the session has called it.
 */
export async function counterServer(name: string): Promise<CounterServer> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const heads: IncomingHttpHeaders[] = [];
  const sessions: string[] = [];

  async function opened(): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized(id) {
        sessions.push(id);
        transports.set(id, transport);
      },
      onsessionclosed: (id) => void transports.delete(id),
    });
    const mcp = new McpServer({ name, version: '1.0.0' });
    let count = 0;
    mcp.registerTool('count', { description: 'Counts the calls of this session' }, async () => {
      count += 1;
      const text = `${name} ${count}`;
      await server.before();
      return { content: [{ type: 'text', text }] };
    });
    await mcp.connect(transport);
    return transport;
  }

  const listening = await listen(
    http.createServer((req, res) => {
      heads.push(req.headers);
      const id = req.headers['mcp-session-id'];
      const known = id === undefined ? opened() : transports.get(String(id));
      if (known) void Promise.resolve(known).then((transport) => transport.handleRequest(req, res));
      else
        res
          .writeHead(404)
          .end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"}}');
    }),
  );
  const server: CounterServer = { ...listening, name, heads, sessions, before: () => {} };
  onCleanup(() => listening.close());
  return server;
}

/** The servers that recipes call `http://mcp-0:8080` and so on. */
export function counterServers(count: number): Promise<CounterServer[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => counterServer(`mcp-${at}`)));
}

/** What replaces their addresses in a recipe. */
export function addressesOf(servers: readonly CounterServer[]): Record<string, string> {
  return Object.fromEntries(servers.map(({ name, origin }) => [`http://${name}:8080`, origin]));
}

export interface CountingClient extends RealClient {
  /** Where it sends requests from now on. */
  at: string;
  /** More headers of its requests; a function makes them for each. */
  headers: Record<string, string> | ((init: RequestInit) => Record<string, string>);
  /** Calls the tool `count`. */
  count(): Promise<string>;
}

/** A client of the official SDK that has not connected yet; it is closed after the test. */
export function countingClient(origin: string): CountingClient {
  const client: CountingClient = {
    ...createClient('SDK v1', `${origin}/mcp`, {
      fetch(to, init = {}) {
        const headers = new Headers(init.headers);
        const more = typeof client.headers === 'function' ? client.headers(init) : client.headers;
        for (const [name, value] of Object.entries(more)) headers.set(name, value);
        return fetch(new URL(new URL(to).pathname, client.at), { ...init, headers });
      },
    }),
    at: origin,
    headers: {},
    count: () => client.call('count', {}),
  };
  onCleanup(() => client.close());
  return client;
}

/** One that has connected. */
export async function openCounting(origin: string): Promise<CountingClient> {
  const client = countingClient(origin);
  await client.open();
  return client;
}
