import {
  Client as Client2,
  StreamableHTTPClientTransport as Transport2,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

/** Stands between a client and the network. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

export interface ClientOptions {
  /** Answers the servers' requests with it. */
  readonly name?: string;
  readonly fetch?: Fetch;
}

/** A client of one of the official SDKs, as far as these tests need it. */
export interface RealClient {
  readonly name: string;
  session(): string | undefined;
  open(): Promise<void>;
  listTools(): Promise<string[]>;
  /** The text that the tool answers. */
  call(
    tool: string,
    args: Record<string, unknown>,
    onProgress?: (progress: number) => void,
  ): Promise<string>;
  /** Resolves when the GET stream of the session is open. */
  listening(): Promise<void>;
  /** Resolves with the first log message of the server. */
  logged(): Promise<string>;
  /** Ends the session with DELETE. */
  terminate(): Promise<void>;
  /** Drops the connections, not the session. */
  close(): Promise<void>;
}

type Make = (
  url: string,
  options: Required<ClientOptions>,
) => Omit<RealClient, 'listening' | 'name'>;

/** Failures of the network are told by HTTP, not by waiting for long. */
const TIMEOUT = 60_000;
const reconnectionOptions = {
  initialReconnectionDelay: 200,
  maxReconnectionDelay: 1000,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 5,
};
const capabilities = { sampling: {}, elicitation: {} };

export const CLIENTS: Readonly<Record<'SDK v1' | 'SDK v2', Make>> = {
  'SDK v1': makeClient1,
  'SDK v2': makeClient2,
};

export type ClientKind = keyof typeof CLIENTS;

export function createClient(
  kind: ClientKind,
  url: string,
  { name = 'client', fetch: send = (to, init) => fetch(to, init) }: ClientOptions = {},
): RealClient {
  let opened: () => void;
  const stream = new Promise<void>((resolve) => (opened = resolve));
  const watched: Fetch = async (to, init) => {
    const response = await send(to, init);
    if (init?.method === 'GET' && response.ok) opened();
    return response;
  };
  const client = CLIENTS[kind](url, { name, fetch: watched });
  return { name, listening: () => stream, ...client };
}

function makeClient1(url: string, { name, fetch }: Required<ClientOptions>): ReturnType<Make> {
  const transport = new Transport1(new URL(url), { fetch, reconnectionOptions });
  const client = new Client1({ name, version: '1.0.0' }, { capabilities });
  client.setRequestHandler(CreateMessageRequestSchema, () => sample(name));
  client.setRequestHandler(ElicitRequestSchema, () => fillIn(name));
  const logged = new Promise<string>((resolve) => {
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) =>
      resolve(String(params.data)),
    );
  });
  return {
    session: () => transport.sessionId,
    open: () => client.connect(transport, { timeout: TIMEOUT }),
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    async call(tool, args, onProgress) {
      const options = { timeout: TIMEOUT, ...progressOf(onProgress) };
      const params = { name: tool, arguments: args };
      return textOf(await client.callTool(params, CallToolResultSchema, options));
    },
    logged: () => logged,
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  };
}

function makeClient2(url: string, { name, fetch }: Required<ClientOptions>): ReturnType<Make> {
  const transport = new Transport2(new URL(url), { fetch, reconnectionOptions });
  const client = new Client2(
    { name, version: '1.0.0' },
    { capabilities, versionNegotiation: { mode: 'legacy' } },
  );
  client.setRequestHandler('sampling/createMessage', () => sample(name));
  client.setRequestHandler('elicitation/create', () => fillIn(name));
  const logged = new Promise<string>((resolve) => {
    client.setNotificationHandler('notifications/message', ({ params }) =>
      resolve(String(params.data)),
    );
  });
  return {
    session: () => transport.sessionId,
    open: () => client.connect(transport, { timeout: TIMEOUT }),
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    async call(tool, args, onProgress) {
      const options = { timeout: TIMEOUT, ...progressOf(onProgress) };
      return textOf(await client.callTool({ name: tool, arguments: args }, options));
    },
    logged: () => logged,
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  };
}

/** HTTP status that a call has failed with, if it has failed with one. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const status: unknown = Reflect.get(error, 'status') ?? Reflect.get(error, 'code');
  return typeof status === 'number' && status >= 100 ? status : undefined;
}

function sample(name: string): {
  role: 'assistant';
  model: string;
  content: { type: 'text'; text: string };
} {
  return {
    role: 'assistant',
    model: 'test',
    content: { type: 'text', text: `sampled by ${name}` },
  };
}

function fillIn(name: string): { action: 'accept'; content: { name: string } } {
  return { action: 'accept', content: { name: `filled in by ${name}` } };
}

function progressOf(onProgress: ((progress: number) => void) | undefined): {
  onprogress?: (progress: { progress: number }) => void;
} {
  return onProgress ? { onprogress: ({ progress }) => onProgress(progress) } : {};
}

function textOf(result: Record<string, unknown>): string {
  const content = result.content as { text?: string }[];
  const text = content.map((part) => part.text ?? '').join('\n');
  if (result.isError) throw new Error(text);
  return text;
}
