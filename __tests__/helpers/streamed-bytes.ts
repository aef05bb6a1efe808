import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export const MEBIBYTE = 1024 * 1024;

export interface StreamedBytes {
  /** Writes them, no faster than they are taken, and ends; resolves too when the other side leaves. */
  send(to: Writable): Promise<void>;
  /** Their SHA-256, hex. */
  readonly digest: string;
}

/** That many bytes of a pattern that is not in step with any buffer; never in memory all at once. */
export function streamedBytes(size: number): StreamedBytes {
  const block = Buffer.from(Array.from({ length: 65_521 }, (_, at) => (at * 31 + (at >> 8)) & 255));
  const parts = function* (): Generator<Buffer> {
    for (let left = size; left > 0; left -= block.length) yield block.subarray(0, left);
  };
  const hash = createHash('sha256');
  for (const part of parts()) hash.update(part);
  return {
    digest: hash.digest('hex'),
    send: (to) => pipeline(parts, to).catch(() => {}),
  };
}

/** SHA-256 of all that is read, hex. */
export async function digestOf(chunks: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Bytes of buffers that are alive, or not yet collected. */
export function bytesInMemory(): number {
  return process.memoryUsage().arrayBuffers;
}
