import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { isSessionId, PROTOCOL_VERSION_HEADER, SESSION_HEADER } from '../protocol/session-id.ts';
import type { NewOpening, Opened } from '../routing/recovery.ts';
import { askBackend, NotConnected, type Manner } from './ask-backend.ts';
import { forgetAtBackend } from './forget-at-backend.ts';
import { withoutHopByHop } from './hop-by-hop.ts';

/** How long a backend may take to open a session (ms). */
const DEADLINE = 10_000;

const INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}';

/** What belongs to the request that has found the session lost, or to its body. */
const OF_THE_REQUEST = [
  ...['content-length', 'transfer-encoding', 'content-encoding', 'content-type', 'expect'],
  ...['accept', 'accept-encoding', SESSION_HEADER, 'last-event-id', PROTOCOL_VERSION_HEADER],
  ...['mcp-method', 'mcp-name'],
];

/**
 * Opens a session in the client's name: its own `initialize`, with the headers, and so the credentials, of the
 * request that needs it; then `notifications/initialized` (MCP, Lifecycle, Initialization).
 */
export async function openAtBackend(opening: NewOpening, manner: Manner): Promise<Opened> {
  const { origin, path, body, req } = opening;
  const { headers } = askedAnew(req, body);
  const ask = { path, method: 'POST', ...manner, signal: AbortSignal.timeout(DEADLINE) };
  let sessionId: string | undefined;
  try {
    const answer = await askBackend(origin, { ...ask, body, headers });
    sessionId = idOf(answer);
    await answered(answer);
    if (sessionId === undefined) return { kind: 'failed' };
    const version = req.headers[PROTOCOL_VERSION_HEADER];
    const session = {
      [SESSION_HEADER]: sessionId,
      ...(version === undefined ? {} : { [PROTOCOL_VERSION_HEADER]: version }),
    };
    const taken = await askBackend(origin, {
      ...ask,
      body: INITIALIZED,
      headers: { ...askedAnew(req, INITIALIZED).headers, ...session },
    });
    taken.on('error', () => {}).resume();
    if (isSuccess(taken)) return { kind: 'opened', sessionId };
  } catch (error) {
    if (error instanceof NotConnected && sessionId === undefined) return { kind: 'unreachable' };
  }
  if (sessionId !== undefined) forgetAtBackend(origin, { path, ...manner }, sessionId, req.headers);
  return { kind: 'failed' };
}

/** A request of our own in the name of one of a client: with its credentials, and another body. */
export function askedAnew(
  req: IncomingMessage,
  body: string,
): { readonly body: string; readonly headers: OutgoingHttpHeaders } {
  const headers: OutgoingHttpHeaders = { ...withoutHopByHop(req.headers) };
  for (const name of OF_THE_REQUEST) delete headers[name];
  headers['accept'] = 'application/json, text/event-stream';
  headers['content-type'] = 'application/json';
  headers['content-length'] = Buffer.byteLength(body);
  return { body, headers };
}

function idOf(answer: IncomingMessage): string | undefined {
  const id = answer.headers[SESSION_HEADER];
  return isSuccess(answer) && typeof id === 'string' && isSessionId(id) ? id : undefined;
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** The result is there: at the end of a JSON answer, and with the first event of a stream, which may go on. */
function answered(answer: IncomingMessage): Promise<void> {
  const stream = /^text\/event-stream/i.test(answer.headers['content-type'] ?? '');
  return new Promise((resolve, reject) => {
    answer.on('error', reject);
    answer.once('end', resolve);
    let last = '';
    answer.on('data', (chunk: Buffer) => {
      // A priming event has an empty "data:"; the result has not. Either may come in parts.
      const text = last + chunk.toString('latin1');
      if (stream && /^data: *\S/m.test(text)) resolve();
      last = /[^\r\n]*$/.exec(text)?.[0].slice(0, 16) ?? '';
    });
  });
}
