import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';

/** A call that has no answer by then has failed: a demo never hangs. */
const TIMEOUT = 5_000;

export interface DemoClient {
  /** Known as soon as a server has answered `initialize`. */
  session(): string | undefined;
  /** Calls the tool `count`; the answer names the server and its count for this session. */
  count(): Promise<{ instance: string; count: number }>;
  /** Ends the session with DELETE, as a polite client does, and closes the connection. */
  end(): Promise<void>;
}

/** A client of the official SDK; `fetch` decides which gateway a request goes to. */
export function createClient(
  url: string,
  fetch?: FetchLike,
): DemoClient & { open(): Promise<void> } {
  const transport = new StreamableHTTPClientTransport(new URL(url), { ...(fetch && { fetch }) });
  const client = new Client({ name: 'demo', version: '1.0.0' });
  return {
    session: () => transport.sessionId,
    open: () => client.connect(transport, { timeout: TIMEOUT }),
    async count() {
      const options = { timeout: TIMEOUT };
      const result = await client.callTool({ name: 'count' }, CallToolResultSchema, options);
      const [content] = CallToolResultSchema.parse(result).content;
      if (content?.type !== 'text') throw new Error('the tool answered without a text');
      return JSON.parse(content.text) as { instance: string; count: number };
    },
    async end() {
      // Without the right server there is nothing to end: the control run comes here.
      await transport.terminateSession().catch(() => undefined);
      await client.close();
    },
  };
}

export async function openClient(url: string, fetch?: FetchLike): Promise<DemoClient> {
  const client = createClient(url, fetch);
  await client.open();
  return client;
}

/** A bare request, as no client of an SDK sends it. */
export async function post(url: string, session: string): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2025-11-25',
      'mcp-session-id': session,
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    signal: AbortSignal.timeout(TIMEOUT),
  });
  await response.body?.cancel();
  return response.status;
}

export interface Run {
  /** Sessions that were opened, in the order of the clients. */
  sessions: string[];
  /** Calls that were answered, and the first complaint of one that was not. */
  answered: number;
  complaint?: string;
}

/** All clients call at the same time, `calls` rounds of it; each round begins with another client. */
export async function runClients(url: string, clients: number, calls: number): Promise<Run> {
  const all = Array.from({ length: clients }, () => createClient(url));
  const opened = await Promise.allSettled(all.map((client) => client.open()));
  const results: PromiseSettledResult<unknown>[] = [];
  for (let round = 0; round < calls; round += 1) {
    const first = round % clients;
    const order = [...all.slice(first), ...all.slice(0, first)];
    results.push(...(await Promise.allSettled(order.map((client) => client.count()))));
  }
  const sessions = all.map((client) => client.session()).filter((id) => id !== undefined);
  await Promise.allSettled(all.map((client) => client.end()));

  const failed = [...opened, ...results].find((result) => result.status === 'rejected');
  return {
    sessions,
    answered: results.filter((result) => result.status === 'fulfilled').length,
    ...(failed && { complaint: String(failed.reason) }),
  };
}
