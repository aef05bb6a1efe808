import type { IncomingMessage } from 'node:http';

export interface PeekOptions {
  /** Most bytes that are held. */
  readonly maxBytes: number;
  /** Milliseconds after which the body counts as unknown. */
  readonly deadline: number;
}

/**
 * The body of a request, without consuming it: whoever reads the request next reads the same bytes.
 * `undefined` if it is compressed, too long, too slow, no JSON object or array, or broken off.
 */
export function peekBody(req: IncomingMessage, options: PeekOptions): Promise<Buffer | undefined> {
  const { headers } = req;
  const { 'content-encoding': encoding = 'identity', 'content-length': length } = headers;
  const announced = length === undefined ? undefined : Number(length);
  const empty = announced === 0 || (announced === undefined && !('transfer-encoding' in headers));
  if (empty || encoding !== 'identity' || (announced ?? 0) > options.maxBytes || req.destroyed) {
    return Promise.resolve(undefined);
  }
  return new Promise((resolve) => {
    const read: Buffer[] = [];
    let size = 0;
    let timer: NodeJS.Timeout | undefined;
    let decided = false;
    let first: number | undefined;
    // When all that came with the head has been parsed: listening to a body that is complete and empty would
    // end it, and nobody could wait for its end again.
    queueMicrotask(() => {
      look();
      if (decided) return;
      timer = setTimeout(giveUp, options.deadline);
      req.on('readable', look);
      req.once('close', giveUp);
    });

    function look(): void {
      // For the same reason nothing is read where there is nothing.
      const chunk: unknown = req.readableLength > 0 ? req.read() : undefined;
      if (Buffer.isBuffer(chunk)) {
        read.push(chunk);
        size += chunk.length;
        first ??= chunk.find(isNoBlank);
      }
      const noJson = first !== undefined && first !== 0x7b && first !== 0x5b;
      if (size > options.maxBytes || noJson) decide(false);
      else if (req.complete || size === announced) decide(size > 0);
    }

    function giveUp(): void {
      decide(false);
    }

    function decide(whole: boolean): void {
      decided = true;
      clearTimeout(timer);
      req.off('readable', look);
      req.off('close', giveUp);
      const bytes = Buffer.concat(read, size);
      // Put back in the tick of the last read, before the stream can end; and once only, since each time makes it
      // "readable" again.
      if (size > 0 && !req.destroyed) req.unshift(bytes);
      resolve(whole ? bytes : undefined);
    }
  });
}

function isNoBlank(byte: number): boolean {
  return byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d;
}
