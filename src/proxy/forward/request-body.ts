import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { announcesBody, consumedBody } from '../consumed-body.ts';

/** Somebody has read the body, and kept nothing of it. */
export const GONE: unique symbol = Symbol('gone');

export type Body = Buffer | Readable | null | typeof GONE;

/**
 * The body that a backend gets. Bytes where it is all there, which is what nearly all requests of MCP are: a stream
 * for it would cost more than all else. `null`: there is none.
 */
export function bodyOf(req: IncomingMessage): Body {
  if (!announcesBody(req)) return null;
  if (req.readableEnded) return consumedBody(req) ?? GONE;
  if (req.complete && req.readableLength > 0 && req.readableFlowing !== true) {
    const bytes: unknown = req.read();
    if (Buffer.isBuffer(bytes)) return bytes;
    if (typeof bytes === 'string') return Buffer.from(bytes, req.readableEncoding ?? 'utf8');
  }
  return piped(req);
}

/** Not the request itself: undici would destroy it, and take its socket away from whoever wants to log its address. */
function piped(req: IncomingMessage): Readable {
  const body = new PassThrough();
  // Whoever sends it listens later.
  body.on('error', () => {});
  req.pipe(body);
  // What breaks off must not look like the end.
  const breakOff = (): unknown =>
    req.complete || body.destroy(new Error('the client has broken off'));
  req.once('close', breakOff);
  if (req.destroyed) breakOff();
  return body;
}
