import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  isSessionId,
  PROTOCOL_VERSION_HEADER,
  SESSION_HEADER,
} from '../../../src/protocol/session-id.ts';

test('the headers are named as node:http spells them', () => {
  expect([SESSION_HEADER, PROTOCOL_VERSION_HEADER]).toEqual([
    'mcp-session-id',
    'mcp-protocol-version',
  ]);
});

describe('A4: the grammar of session ids', () => {
  test('takes each of the 94 visible characters, and no other of the first 65 536', () => {
    const taken = Array.from({ length: 0x10000 }, (_, code) => code).filter((code) =>
      isSessionId(String.fromCharCode(code)),
    );
    expect(taken).toEqual(Array.from({ length: 94 }, (_, at) => 0x21 + at));
  });

  test('refuses a character outside of it wherever it stands', () => {
    const visible = fc.string({ unit: fc.constantFrom('!', 'a', '0', '~') });
    const other = fc.constantFrom(' ', '\t', '\n', '\r', '\0', '\u007f', '\u00e9', '\u{1f600}');
    fc.assert(
      fc.property(visible, other, visible, (before, bad, after) => {
        expect(isSessionId(before + bad + after)).toBe(false);
      }),
    );
  });

  test.each([
    [0, false],
    [1, true],
    [1024, true],
    [1025, false],
  ])('a length of %d: %p', (length, taken) => {
    expect(isSessionId('~'.repeat(length))).toBe(taken);
  });
});
