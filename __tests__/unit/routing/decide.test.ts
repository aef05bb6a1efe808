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
  expect(decideByHead({ method, sessionId, version: undefined })).toEqual(decision);
});

test('A7: a POST with a version takes no turn of those that open sessions', () => {
  const facts = { method: 'POST', sessionId: undefined, version: '2025-11-25' };
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
      expect(decideByLookup({ method, sessionId: 'x', version: undefined }, lookup)).toEqual(
        decision,
      );
    },
  );

  test.each(['2025-11-25', undefined])('A5: POST, with the version %p', (version) => {
    const decided = decideByLookup({ method: 'POST', sessionId: 'x', version }, lookup);
    const atOnce =
      lookup.kind === 'unavailable' || (lookup.kind === 'live' && version !== undefined);
    const readBody = { kind: 'read-body', ifInitialize: OPENING, otherwise: decision };
    expect(decided).toEqual(atOnce ? decision : readBody);
  });
});

describe('E1, E2: a request of a revision without sessions', () => {
  const modern = { kind: 'open', opening: false, turn: 'other', modern: true };
  const refused = { kind: 'refuse-proxied', reason: 'method_not_allowed' };

  test.each([
    ['POST', '2026-07-28', modern],
    ['POST', '2027-01-01', modern],
    ['OPTIONS', '2026-07-28', modern],
    ['GET', '2026-07-28', refused],
    ['DELETE', '2026-07-28', refused],
    ['GET', '2027-01-01', modern],
  ])('%s %s is decided by its head, whatever id it carries', (method, version, decision) => {
    const decided = ['x', '', 'not one', undefined].map((sessionId) =>
      decideByHead({ method, version, sessionId }),
    );
    expect(decided).toEqual(decided.map(() => decision));
  });

  test.each(['2026-07-28, 2025-11-25', '2026-7-28', 'DRAFT-2026-v1', '2025-11-25', ''])(
    'is none of revision %p',
    (version) => {
      expect(decideByHead({ method: 'POST', version, sessionId: 'x' })).toBeUndefined();
    },
  );
});
