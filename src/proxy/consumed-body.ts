import { ClientRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

type ReadRequest = IncomingMessage & { body?: unknown; rawBody?: unknown };

type Pipe = IncomingMessage['pipe'];
type Piped = IncomingMessage & { [BYTES]?: Buffer | undefined; [BEFORE]?: Pipe };

// What the functions below need to know of a request. They are the same for all requests: with a function of its own in
// a member a request is not collected with what is young (see ../http/gated-response.ts).
const BYTES: unique symbol = Symbol('mcp-session-routing bytes');
const BEFORE: unique symbol = Symbol('mcp-session-routing pipe');

/** Why a request cannot be proxied. */
export const BODY_IS_GONE = 'the body was read before the proxy: keep its bytes as req.rawBody';

/** Whether the head of a request announces a body. */
export function announcesBody({ headers }: IncomingMessage): boolean {
  return 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * The body of a request that somebody has read, `express.json()` for instance: the bytes that were received if a
 * parser kept them as `req.rawBody`, otherwise the parsed body written out anew; `undefined` if it is gone. The
 * request's headers fit it.
 */
export function consumedBody(req: ReadRequest): Buffer | undefined {
  const { headers } = req;
  const read = Buffer.isBuffer(req.rawBody) ? req.rawBody : req.body;
  const bytes = Buffer.isBuffer(read) ? read : writtenAnew(req);
  if (bytes !== undefined) {
    // Whatever was chunked or compressed on the way in is one plain block now.
    delete headers['transfer-encoding'];
    delete headers['content-encoding'];
    headers['content-length'] = String(bytes.length);
  }
  return bytes;
}

/** Makes a request whose body somebody has read fit to be proxied: piping it gives the bytes again. */
export function restoreConsumedBody(req: ReadRequest & Piped): void {
  if (!req.readableEnded || !announcesBody(req)) return;
  req[BYTES] = consumedBody(req);
  req.pipe = pipeBytes;
}

function pipeBytes<T extends NodeJS.WritableStream>(
  this: Piped,
  destination: T,
  options?: { end?: boolean },
): T {
  const bytes = this[BYTES];
  // `fixRequestBody` has written it in `on.proxyReq`: twice would be two requests to the backend.
  const written = destination instanceof ClientRequest && destination.headersSent;
  if (bytes !== undefined || written) {
    return Readable.from(written ? [] : [bytes]).pipe(destination, options);
  }
  if (destination instanceof ClientRequest) destination.destroy(new Error(BODY_IS_GONE));
  return destination;
}

/**
 * Without a length and without chunks there is no body (RFC 9112, 6.3). Node 20, and 22 before its last releases, tells
 * of no more than 1000 headers, and reads a body that is framed by one of the others all the same: the proxies would
 * send it without a frame, and the backend would read it as the next request.
 */
export function leaveUnframedBody(req: IncomingMessage): void {
  if (!announcesBody(req)) req.pipe = pipeNothing;
}

function pipeNothing<T extends NodeJS.WritableStream>(this: IncomingMessage, destination: T): T {
  if (destination instanceof ClientRequest) destination.end();
  this.resume();
  return destination;
}

/**
 * http-proxy (under http-proxy-middleware 3) pipes before there is a connection, and the head would be written
 * before `on.proxyReq` is asked for its headers.
 */
export function pipeOnceConnected(req: Piped): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with the request as `this`
  const { pipe } = req;
  if (pipe === pipeConnected) return;
  req[BEFORE] = pipe;
  req.pipe = pipeConnected;
}

function pipeConnected<T extends NodeJS.WritableStream>(
  this: Piped,
  destination: T,
  options?: { end?: boolean },
): T {
  const pipe = (): unknown =>
    // oxlint-disable-next-line typescript/unbound-method -- called with the request as `this`
    Reflect.apply(this[BEFORE] ?? Readable.prototype.pipe, this, [destination, options]);
  if (destination instanceof ClientRequest && !destination.socket) {
    destination.once('socket', pipe);
  } else pipe();
  return destination;
}

// parameter = token "=" ( token / quoted-string ) ; RFC 9110, 5.6.6
const CHARSET = /;[ \t]*charset=(?!"?utf-?8"?[ \t]*(?:;|$))(?:"[^"]*"|[^\s;"]*)/i;

/** In UTF-8, whatever charset the body came in. */
function writtenAnew({ body, headers }: ReadRequest): Buffer | undefined {
  const type = headers['content-type'] ?? '';
  const text = textOf(body, type);
  if (text === undefined) return undefined;
  if (CHARSET.test(type)) headers['content-type'] = type.replace(CHARSET, '; charset=utf-8');
  return Buffer.from(text);
}

function textOf(body: unknown, type: string): string | undefined {
  if (typeof body === 'string') return body;
  if (typeof body !== 'object' || body === null) return undefined;
  if (type.includes('json')) return JSON.stringify(body);
  return type.includes('x-www-form-urlencoded') ? formOf(body) : undefined;
}

/** Nested members have no one spelling. */
function formOf(body: object): string | undefined {
  const pairs = Object.entries(body).flatMap(([name, value]: [string, unknown]) =>
    (Array.isArray(value) ? value : [value]).map((each: unknown): [string, unknown] => [
      name,
      each,
    ]),
  );
  const flat = pairs.every((pair): pair is [string, string] => typeof pair[1] === 'string');
  return flat ? new URLSearchParams(pairs).toString() : undefined;
}
