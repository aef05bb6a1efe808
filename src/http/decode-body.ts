import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

// content-coding ; RFC 9110, 8.4.1
const DECODERS = new Map([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['deflate', inflateSync],
  ['br', brotliDecompressSync],
]);

export function canDecode(coding: string): boolean {
  return coding === 'identity' || DECODERS.has(coding);
}

/** The text of a body; `undefined` if it is broken, or longer than `maxBytes`. */
export function decodeBody(body: Buffer, coding: string, maxBytes: number): string | undefined {
  const decode = DECODERS.get(coding);
  if (!decode) return body.toString('utf8');
  try {
    return decode(body, { maxOutputLength: maxBytes }).toString('utf8');
  } catch {
    return undefined;
  }
}
