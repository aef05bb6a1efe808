import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { McpSessionRouting } from '../../members.ts';
import { sessionInQuery } from '../../protocol/endpoint.ts';
import { isModern } from '../../protocol/revision.ts';
import { PROTOCOL_VERSION_HEADER, SESSION_HEADER } from '../../protocol/session-id.ts';
import type { SessionForwarder } from '../../proxy/forward/session-forwarder.ts';
import { warn } from '../../store/user-code.ts';

/** Names of the session in the message URL of HTTP+SSE. */
const PARAMS = ['sessionId', 'session_id'];

/** What the gateway does with a request: a listener of `node:http`, which needs no framework. */
export function listenerOf(
  sessions: McpSessionRouting,
  forward: SessionForwarder,
  path: string,
): RequestListener {
  return (req, res) => {
    if (!isForBackends(req, path)) {
      answer(res, 404, `Not found: the MCP endpoint of this gateway is ${path}\n`);
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

/**
 * The endpoint, and what stands beside it: metadata of OAuth, and HTTP+SSE. Where a server of that wants its messages
 * is for it to say; the session is in the query.
 */
function isForBackends(req: IncomingMessage, path: string): boolean {
  const { url = '/' } = req;
  // absolute-form = "http://" host path ; RFC 9112, 3.2.2
  const [asked = '/'] = url.replace(/^https?:\/\/[^/?]*/i, '').split('?');
  if (asked.startsWith('/.well-known/')) return true;
  if (isMessage(req)) return true;
  const plain = asked.length > 1 ? asked.replace(/\/$/, '') : asked;
  return plain === '/sse' || plain === (path.length > 1 ? path.replace(/\/$/, '') : path);
}

/** A POST that its query alone ties to a session: what the headers decide may come to the endpoint only. */
function isMessage({ url = '/', method, headers }: IncomingMessage): boolean {
  if (method !== 'POST' || headers[SESSION_HEADER] !== undefined) return false;
  if (isModern(headers[PROTOCOL_VERSION_HEADER]?.toString())) return false;
  return sessionInQuery(url, PARAMS) !== undefined;
}

function answer(res: ServerResponse, status: number, text: string): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  // The body of the request was not read, and would stand before the next one.
  res.writeHead(status, { 'Content-Type': 'text/plain', Connection: 'close' }).end(text);
}
