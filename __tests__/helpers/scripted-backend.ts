import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import https from 'node:https';
import { onCleanup } from './cleanup.ts';
import { listen, type Listening } from './listen.ts';

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));

/** Self-signed; the key is no secret. */
export const CERTIFICATE = {
  key: fixture('loopback.key.pem'),
  cert: fixture('loopback.cert.pem'),
} as const;

/** A request as it reached a backend. */
export interface Hit {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** What has arrived of the body; empty for a backend that is `early` and has not read it. */
  body: Buffer;
  /** `performance.now()` when the head arrived. */
  readonly at: number;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Answers a request in place of the default behaviour; `false`: it does not, after all. */
export type Answer = (hit: Hit, backend: ScriptedBackend) => unknown;

export interface ScriptedBackendOptions {
  /** In front of its session ids. @default 'b' */
  readonly name?: string;
  /** Ask `answer` as soon as the head is there: the body is left to it. @default false */
  readonly early?: boolean;
  /** Speak https, with a certificate for 127.0.0.1 that nobody has signed. @default false */
  readonly tls?: boolean;
}

/** A real server that behaves like a stateful MCP server, until a test tells it otherwise. */
export interface ScriptedBackend extends Omit<Listening, 'close'> {
  readonly name: string;
  readonly url: string;
  /** Every request, in the order of arrival. */
  readonly hits: Hit[];
  /** Sessions that are open. */
  readonly sessions: Set<string>;
  answer: Answer | undefined;
  /** The hit with this number (from 0), as soon as it is complete. */
  hit(number: number): Promise<Hit>;
  /** The first hit, past or to come, that fits. */
  hitWhere(fits: (hit: Hit) => boolean): Promise<Hit>;
  /** Connections are refused from now on, and those that are open are broken off. */
  refuse(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a backend on a free port; it is stopped after the test. */
export async function scriptedBackend(
  answer?: Answer,
  options: ScriptedBackendOptions = {},
): Promise<ScriptedBackend> {
  const { name = 'b', early = false, tls = false } = options;
  const hits: Hit[] = [];
  const arrived = new EventEmitter();
  const take = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const hit: Hit = {
      method: req.method ?? '',
      url: req.url ?? '',
      headers: { ...req.headers },
      rawHeaders: [...req.rawHeaders],
      body: Buffer.alloc(0),
      at: performance.now(),
      req,
      res,
    };
    // A client, or the gateway, that leaves early is part of many tests.
    req.on('error', () => {});
    res.on('error', () => {});
    if (early) arrive(hit);
    else if (await readBody(hit)) arrive(hit);
    else return;
    const answered: unknown = backend.answer ? await backend.answer(hit, backend) : false;
    if (answered !== false) return;
    if (early && !(await readBody(hit))) return;
    behave(hit, backend);
  };
  // oxlint-disable-next-line typescript/no-misused-promises -- failures end in the test that awaits the hit
  const server = tls ? https.createServer(CERTIFICATE, take) : http.createServer(take);
  server.keepAliveTimeout = 60_000;
  const listening = await listen(server);
  const origin = tls ? listening.origin.replace('http:', 'https:') : listening.origin;

  function arrive(hit: Hit): void {
    hits.push(hit);
    arrived.emit('hit');
  }

  const backend: ScriptedBackend = {
    ...listening,
    name,
    origin,
    url: `${origin}/mcp`,
    hits,
    sessions: new Set(),
    answer,
    async hit(number) {
      while (hits.length <= number) await once(arrived, 'hit');
      return hits[number] as Hit;
    },
    async hitWhere(fits) {
      for (;;) {
        const found = hits.find(fits);
        if (found) return found;
        await once(arrived, 'hit');
      }
    },
    refuse: () => listening.close(),
    close: () => listening.close(),
  };
  onCleanup(() => backend.close());
  return backend;
}

/** Several backends, named a, b, c. */
export function scriptedBackends(count: number): Promise<ScriptedBackend[]> {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].slice(0, count);
  return Promise.all(names.map((name) => scriptedBackend(undefined, { name })));
}

/** `false`: the client broke off. */
async function readBody(hit: Hit): Promise<boolean> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of hit.req) {
      chunks.push(chunk as Buffer);
      hit.body = Buffer.concat(chunks);
    }
    return true;
  } catch {
    return false;
  }
}

/** What a server of the SDK does: sessions by JSON answers, a GET stream that stays open, a tool that echoes. */
function behave(hit: Hit, backend: ScriptedBackend): void {
  const { method, headers, res } = hit;
  const id = headers['mcp-session-id']?.toString();
  const message = parse(hit.body);
  if (method === 'POST' && message?.method === 'initialize' && id === undefined) {
    const opened = `${backend.name}-${randomUUID()}`;
    backend.sessions.add(opened);
    res.setHeader('Mcp-Session-Id', opened);
    reply(hit, 200, { result: initializeResult(backend.name) });
  } else if (id === undefined) {
    // Like a server without sessions: every request is answered on its own.
    reply(hit, 200, { result: { backend: backend.name, method, url: hit.url } });
  } else if (!backend.sessions.has(id)) {
    reply(hit, 404, { error: { code: -32001, message: 'Session not found' } });
  } else if (method === 'DELETE') {
    backend.sessions.delete(id);
    res.writeHead(200).end();
  } else if (method === 'GET') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    res.flushHeaders();
    res.write(': open\n\n');
  } else if (message?.id === undefined) {
    res.writeHead(202).end();
  } else {
    const text = `${backend.name}: ${String(message.params?.arguments?.text ?? message.method)}`;
    reply(hit, 200, { result: { content: [{ type: 'text', text }] } });
  }
}

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: { readonly arguments?: { readonly text?: unknown } };
}

function parse(body: Buffer): Message | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as Message;
  } catch {
    return undefined;
  }
}

function reply(hit: Hit, status: number, content: object): void {
  const id = parse(hit.body)?.id;
  const body = JSON.stringify({ jsonrpc: '2.0', ...content, ...(id === undefined ? {} : { id }) });
  hit.res.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
}

function initializeResult(name: string): object {
  const serverInfo = { name, version: '1.0.0' };
  return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo };
}
