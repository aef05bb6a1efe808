import http, { type IncomingHttpHeaders } from 'node:http';
import request, { type Test } from 'supertest';
import { onCleanup } from './cleanup.ts';

/** Where requests are sent to; a gateway is one. */
export interface Addressed {
  readonly url: string;
}

export const VERSION_HEADERS = { 'MCP-Protocol-Version': '2025-11-25' } as const;

export const INITIALIZE =
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",' +
  '"capabilities":{},"clientInfo":{"name":"test","version":"1.0.0"}}}';

export const TOOLS_LIST = '{"jsonrpc":"2.0","id":7,"method":"tools/list"}';

/** A call of the scripted backends' echo tool. */
export function echoCall(text: string): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id: 2,
    method: 'tools/call',
    params: { name: 'echo', arguments: { text } },
  });
}

/** POSTs a body as it stands. */
export function post(
  at: Addressed,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
  path = '/mcp',
): Test {
  return request(at.url)
    .post(path)
    .set({ 'Content-Type': 'application/json', ...headers })
    .serialize(String)
    .send(body as string);
}

/** POSTs `initialize`. */
export function initialize(
  at: Addressed,
  headers: Readonly<Record<string, string>> = {},
  path = '/mcp',
): Test {
  return post(at, INITIALIZE, headers, path);
}

/** Opens a session and returns its id. */
export async function openSession(at: Addressed, path = '/mcp'): Promise<string> {
  const answer = await initialize(at, {}, path);
  const id = answer.get('Mcp-Session-Id');
  if (answer.status !== 200 || id === undefined) {
    throw new Error(`initialize was answered by ${answer.status} ${answer.text}`);
  }
  return id;
}

/** Opens as many sessions as there are backends, so that each has one; in the order in which they were opened. */
export async function openSessions(at: Addressed, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let opened = 0; opened < count; opened += 1) ids.push(await openSession(at));
  return ids;
}

/** The headers of a request of a session, after `initialize`. */
export function ofSession(id: string): Record<string, string> {
  return { 'Mcp-Session-Id': id, ...VERSION_HEADERS };
}

/** A request of a session: calls the echo tool. */
export function call(at: Addressed, id: string, text = 'hello'): Test {
  return post(at, echoCall(text), ofSession(id));
}

/** DELETEs a session. */
export function terminate(at: Addressed, id: string, path = '/mcp'): Test {
  return request(at.url).delete(path).set(ofSession(id));
}

export interface OpenStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What has been received so far. */
  readonly text: string;
  /** How it was closed: by its end, or by a connection that broke off. */
  readonly closed: Promise<'end' | 'broken'>;
  close(): void;
}

/** Opens the event stream of a session, or one without; resolves when the answer's head is there. */
export function openStream(
  at: Addressed,
  id: string | undefined,
  path = '/mcp',
): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const headers = { Accept: 'text/event-stream', ...(id !== undefined && ofSession(id)) };
    const req = http.get(new URL(path, at.url), { agent: false, headers });
    onCleanup(() => req.destroy());
    req.on('error', reject);
    req.on('response', (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => (text += chunk));
      const closed = new Promise<'end' | 'broken'>((done) => {
        res.once('end', () => done('end'));
        res.once('error', () => done('broken'));
        res.once('close', () => done('broken'));
      });
      resolve({
        status: res.statusCode ?? 0,
        headers: res.headers,
        get text() {
          return text;
        },
        closed,
        close: () => void req.destroy(),
      });
    });
  });
}
