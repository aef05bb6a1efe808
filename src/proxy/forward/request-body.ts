import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { announcesBody, BODY_IS_GONE, consumedBody } from '../consumed-body.ts';

/** Somebody has read the body, and kept nothing of it. */
export const GONE: unique symbol = Symbol('gone');

export type Body = Buffer | Readable | null | typeof GONE;

/**
 * The body that a backend gets. Bytes where it is all there, which is what nearly all requests of MCP are: a stream
 * for it would cost more than all else. `null`: there is none.
 */
export function bodyOf(req: IncomingMessage): Body {
  if (!announcesBody(req)) return null;
  const length = Number(req.headers['content-length'] ?? 0);
  const wasRead = req.complete && req.readableLength === 0 && length > 0;
  if (req.readableEnded || wasRead) return consumedBody(req) ?? GONE;
  // `complete` is set late: not before whoever is told of the last byte has returned.
  const { readableLength: there } = req;
  const isThere = there > 0 && (there === length || req.complete);
  if (isThere && !req.readableFlowing && !req.readableEncoding) {
    const bytes: unknown = req.read();
    if (Buffer.isBuffer(bytes)) {
      // Whoever waits for its end is told.
      req.resume();
      return bytes;
    }
  }
  return piped(req, length);
}

/** Not the request itself: undici would destroy it, and take its socket away from whoever wants to log its address. */
function piped(req: IncomingMessage, length: number): Readable {
  const body = new PassThrough();
  // Whoever sends it listens later.
  body.on('error', () => {});
  if (req.readableEncoding) body.setDefaultEncoding(req.readableEncoding);
  let size = 0;
  req.on('data', (chunk: Buffer | string) => {
    size += Buffer.byteLength(chunk, req.readableEncoding ?? undefined);
  });
  // Somebody has read the beginning: undici would send what is left, or nothing, as the whole.
  req.once('end', () => {
    if (size < length) body.destroy(new Error(BODY_IS_GONE));
  });
  req.pipe(body);
  // What breaks off must not look like the end.
  const breakOff = (): unknown =>
    req.complete || body.destroy(new Error('the client has broken off'));
  req.once('close', breakOff);
  if (req.destroyed) breakOff();
  return body;
}
