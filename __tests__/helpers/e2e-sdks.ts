import {
  Client as Client2,
  SSEClientTransport as Sse2,
  StreamableHTTPClientTransport as Transport2,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as Sse1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { deferred } from './deferred.ts';

/** Stands between a client and the network. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** What a client of one of the SDKs does, in one form for both. */
export interface SdkClient {
  session(): string | undefined;
  open(): Promise<void>;
  listTools(): Promise<string[]>;
  /** The text that the tool answers. */
  call(
    tool: string,
    args: Record<string, unknown>,
    onProgress?: (progress: number) => void,
  ): Promise<string>;
  /** The revision that was agreed on, where the SDK tells. */
  revision(): string | undefined;
  /** Resolves with the first log message of the server. */
  logged(): Promise<string>;
  /** All log messages so far. */
  heard(): readonly string[];
  /** Ends the session with DELETE. */
  terminate(): Promise<void>;
  /** Drops the connections, not the session. */
  close(): Promise<void>;
}

export type Make = (url: string, options: { name: string; fetch: Fetch }) => SdkClient;

/** Failures of the network are told by HTTP, not by waiting for long. */
const TIMEOUT = 60_000;
const reconnectionOptions = {
  initialReconnectionDelay: 200,
  maxReconnectionDelay: 1000,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 5,
};
const capabilities = { sampling: {}, elicitation: {} };

/** Over HTTP+SSE (MCP 2024-11-05), or over Streamable HTTP. */
export function makeClient1(sse: boolean): Make {
  return (url, { name, fetch }) => {
    const at = new URL(url);
    const http = sse ? undefined : new Transport1(at, { fetch, reconnectionOptions });
    const transport = http ?? new Sse1(at, { fetch });
    const client = new Client1({ name, version: '1.0.0' }, { capabilities });
    client.setRequestHandler(CreateMessageRequestSchema, () => sample(name));
    client.setRequestHandler(ElicitRequestSchema, () => fillIn(name));
    const log = createLog();
    client.setNotificationHandler(LoggingMessageNotificationSchema, log.take);
    return {
      session: () => http?.sessionId,
      open: () => client.connect(transport, { timeout: TIMEOUT }),
      listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
      async call(tool, args, onProgress) {
        const options = { timeout: TIMEOUT, ...progressOf(onProgress) };
        const params = { name: tool, arguments: args };
        return textOf(await client.callTool(params, CallToolResultSchema, options));
      },
      revision: () => http?.protocolVersion,
      logged: log.logged,
      heard: log.heard,
      terminate: async () => http?.terminateSession(),
      close: () => client.close(),
    };
  };
}

/** Over HTTP+SSE, or over Streamable HTTP in one of the modes that tell which revision it begins with. */
export function makeClient2(mode: VersionNegotiationMode | 'sse'): Make {
  return (url, { name, fetch }) => {
    const at = new URL(url);
    let agreed: string | undefined;
    const sse = mode === 'sse';
    const http = sse ? undefined : new Transport2(at, { fetch, reconnectionOptions });
    const transport = http ?? new Sse2(at, { fetch });
    const client = new Client2(
      { name, version: '1.0.0' },
      { capabilities, versionNegotiation: { mode: sse ? 'legacy' : mode } },
    );
    client.setRequestHandler('sampling/createMessage', () => sample(name));
    client.setRequestHandler('elicitation/create', () => fillIn(name));
    const log = createLog();
    client.setNotificationHandler('notifications/message', log.take);
    return {
      session: () => http?.sessionId,
      async open() {
        await client.connect(transport, { timeout: TIMEOUT });
        agreed = client.getNegotiatedProtocolVersion();
      },
      listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
      async call(tool, args, onProgress) {
        const options = { timeout: TIMEOUT, ...progressOf(onProgress) };
        return textOf(await client.callTool({ name: tool, arguments: args }, options));
      },
      revision: () => agreed,
      logged: log.logged,
      heard: log.heard,
      terminate: async () => http?.terminateSession(),
      close: () => client.close(),
    };
  };
}

/** What the server has logged. */
function createLog(): Pick<SdkClient, 'logged' | 'heard'> & {
  take: (message: { params: { data: unknown } }) => void;
} {
  const heard: string[] = [];
  const first = deferred<string>();
  return {
    take({ params }) {
      heard.push(String(params.data));
      first.resolve(String(params.data));
    },
    logged: () => first.promise,
    heard: () => heard,
  };
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
