import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { canDecode, decodeBody } from '../../../src/http/decode-body.ts';

const TEXT = 'caf\u00e9'.repeat(100);
const LENGTH = Buffer.byteLength(TEXT);

test.each([
  ['identity', Buffer.from(TEXT)],
  ['gzip', gzipSync(TEXT)],
  ['x-gzip', gzipSync(TEXT)],
  ['deflate', deflateSync(TEXT)],
  ['br', brotliCompressSync(TEXT)],
])('C4: a body in %s is read', (coding, bytes) => {
  expect(canDecode(coding)).toBe(true);
  expect(decodeBody(bytes, coding, LENGTH)).toBe(TEXT);
});

test('C4: a body in another coding is not read', () => {
  expect(canDecode('zstd')).toBe(false);
  expect(canDecode('gzip, br')).toBe(false);
});

test('C4: a body that is broken, or unpacks to more than may be held, is not read', () => {
  expect(decodeBody(gzipSync(TEXT).subarray(0, 20), 'gzip', LENGTH)).toBeUndefined();
  expect(decodeBody(gzipSync(TEXT), 'gzip', LENGTH - 1)).toBeUndefined();
});
