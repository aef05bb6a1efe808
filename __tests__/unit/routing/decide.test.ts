import { describe, expect, test } from '@jest/globals';
import { decideByHead, decideByLookup, type Decision } from '../../../src/routing/decide.ts';
import { newRecord } from '../../../src/store/record.ts';
import type { Lookup } from '../../../src/store/session-directory.ts';

const OPENING: Decision = { kind: 'open', opening: true, turn: 'opening' };
const BALANCED: Decision = { kind: 'open', opening: false, turn: 'other' };
const INVALID: Decision = { kind: 'refuse', reason: 'invalid_session_id' };

test.each([
  ['POST', undefined, OPENING],
  ['GET', undefined, BALANCED],
  ['OPTIONS', undefined, BALANCED],
  ['DELETE', undefined, BALANCED],
  [undefined, undefined, BALANCED],
  ['POST', '', INVALID],
  ['POST', 'a, b', INVALID],
  ['GET', 'a b', INVALID],
  ['POST', 'x'.repeat(1025), INVALID],
  ['POST', 'x', undefined],
  ['DELETE', 'x', undefined],
] as const)('A7, A4: the head of a %s with the id %p', (method, sessionId, decision) => {
  expect(decideByHead({ method, sessionId, versioned: false })).toEqual(decision);
});

test('A7: a POST with a version takes no turn of those that open sessions', () => {
  const facts = { method: 'POST', sessionId: undefined, versioned: true };
  expect(decideByHead(facts)).toEqual({ ...OPENING, turn: 'other' });
  expect(decideByHead({ ...facts, method: 'GET' })).toEqual(BALANCED);
});

const record = newRecord({ key: 'k', nonce: 'n', backendUrl: 'http://a', path: '/mcp' });
const LOOKUPS: readonly (readonly [Lookup, Decision])[] = [
  [
    { kind: 'live', record },
    { kind: 'pinned', record },
  ],
  [{ kind: 'ended' }, { kind: 'refuse', reason: 'session_ended' }],
  [{ kind: 'unknown' }, { kind: 'refuse', reason: 'unknown_session' }],
  [{ kind: 'unavailable' }, { kind: 'refuse', reason: 'store_unavailable' }],
];

describe.each(LOOKUPS)('a session that is %p', (lookup, decision) => {
  test.each(['GET', 'DELETE', 'OPTIONS', undefined])(
    'A1, A2, A3, A9: %s is decided at once',
    (method) => {
      expect(decideByLookup({ method, sessionId: 'x', versioned: false }, lookup)).toEqual(
        decision,
      );
    },
  );

  test.each([true, false])('A5: POST, with the version header: %p', (versioned) => {
    const decided = decideByLookup({ method: 'POST', sessionId: 'x', versioned }, lookup);
    const atOnce = lookup.kind === 'unavailable' || (lookup.kind === 'live' && versioned);
    const readBody = { kind: 'read-body', ifInitialize: OPENING, otherwise: decision };
    expect(decided).toEqual(atOnce ? decision : readBody);
  });
});
