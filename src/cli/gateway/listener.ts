import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { McpSessionRouting } from '../../members.ts';
import { sessionInQuery } from '../../protocol/endpoint.ts';
import { isModern } from '../../protocol/revision.ts';
import { PROTOCOL_VERSION_HEADER, SESSION_HEADER } from '../../protocol/session-id.ts';
import type { SessionForwarder } from '../../proxy/forward/session-forwarder.ts';
import { warn } from '../../store/user-code.ts';

/** Names of the session in the message URL of HTTP+SSE. */
const PARAMS = ['sessionId', 'session_id'];

/** Where servers take those messages. Whoever has a session could reach any path of its server otherwise. */
const MESSAGES = /\/messages?\/?$/;

/** What reaches the servers beside metadata of OAuth. */
export interface ServedPaths {
  /** Of the MCP endpoint. */
  readonly path: string;
  /** Of the messages of HTTP+SSE. @default any that ends as those of messages do */
  readonly messagePath?: string;
}

/** What the gateway does with a request: a listener of `node:http`, which needs no framework. */
export function listenerOf(
  sessions: McpSessionRouting,
  forward: SessionForwarder,
  paths: ServedPaths,
): RequestListener {
  return (req, res) => {
    if (!isForBackends(req, paths)) {
      answer(res, 404, notFound(req, paths));
      return;
    }
    // The middleware uses nothing that Express has added to these.
    sessions(req as never, res as never, (error?: unknown) => {
      if (error === undefined) forward(req, res);
      else {
        warn(error);
        answer(res, 500, 'The gateway has failed\n');
      }
    });
  };
}

/** The endpoint, and what stands beside it: metadata of OAuth, and HTTP+SSE. */
function isForBackends(req: IncomingMessage, { path, messagePath }: ServedPaths): boolean {
  const asked = pathOf(req);
  if (asked.startsWith('/.well-known/')) return true;
  if (isMessage(req)) {
    const isThere = messagePath === undefined ? MESSAGES.test(asked) : isSame(asked, messagePath);
    if (isThere) return true;
  }
  return isSame(asked, '/sse') || isSame(asked, path);
}

/** A POST that its query alone ties to a session: what the headers decide may come to the endpoint only. */
function isMessage({ url = '/', method, headers }: IncomingMessage): boolean {
  if (method !== 'POST' || headers[SESSION_HEADER] !== undefined) return false;
  if (isModern(headers[PROTOCOL_VERSION_HEADER]?.toString())) return false;
  return sessionInQuery(url, PARAMS) !== undefined;
}

/** Without the query; absolute-form = "http://" host path ; RFC 9112, 3.2.2 */
function pathOf({ url = '/' }: IncomingMessage): string {
  const [path = '/'] = url.replace(/^https?:\/\/[^/?]*/i, '').split('?');
  return path;
}

/** A slash at the end makes no other path. */
function isSame(one: string, other: string): boolean {
  return one.replace(/(.)\/$/, '$1') === other.replace(/(.)\/$/, '$1');
}

function notFound(req: IncomingMessage, { path }: ServedPaths): string {
  const endpoint = `Not found: the MCP endpoint of this gateway is ${path}\n`;
  if (!isMessage(req)) return endpoint;
  return `${endpoint}Where the servers take messages of HTTP+SSE elsewhere: --message-path\n`;
}

function answer(res: ServerResponse, status: number, text: string): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  // The body of the request was not read, and would stand before the next one.
  res.writeHead(status, { 'Content-Type': 'text/plain', Connection: 'close' }).end(text);
}
