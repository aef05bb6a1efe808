import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { REFUSALS } from '../../../src/protocol/reasons.ts';
import {
  decideByHead,
  decideByLookup,
  decideByQuery,
  type Decision,
  type RequestFacts,
} from '../../../src/routing/decide.ts';
import { newRecord } from '../../../src/store/record.ts';
import type { Lookup } from '../../../src/store/session-directory.ts';

const method = fc.oneof(
  fc.constantFrom('POST', 'GET', 'DELETE', 'OPTIONS', 'HEAD', 'PUT', undefined),
  fc.string(),
);
const version = fc.oneof(
  fc.constantFrom(undefined, '', '2024-11-05', '2025-06-18', '2025-11-25', '2026-07-28'),
  fc.constantFrom('2027-01-01', '9999-99-99', '2026-07-28, 2026-07-28', '2026-07-27'),
  fc.string(),
);
const validId = fc.stringMatching(/^[!-~]{1,20}$/);
const sessionId = fc.oneof(
  validId,
  fc.constantFrom(undefined, '', 'a b', 'x'.repeat(1024), 'x'.repeat(1025)),
  fc.string({ unit: 'binary' }),
);
const request: fc.Arbitrary<RequestFacts> = fc.record(
  { method, sessionId, version, asksForStream: fc.boolean(), mayCreateTask: fc.boolean() },
  { requiredKeys: ['method', 'sessionId', 'version'] },
);
const lookup: fc.Arbitrary<Lookup> = fc.oneof(
  fc.constantFrom<Lookup>({ kind: 'ended' }, { kind: 'unknown' }, { kind: 'unavailable' }),
  fc.webUrl().map((backendUrl): Lookup => {
    return { kind: 'live', record: newRecord({ key: 'k', nonce: 'n', backendUrl, path: '/' }) };
  }),
);

/** All that may come of a decision, whatever the body says. */
function outcomesOf(decision: Decision): readonly Exclude<Decision, { kind: 'read-body' }>[] {
  if (decision.kind !== 'read-body') return [decision];
  return [decision.ifInitialize, decision.otherwise].flatMap(outcomesOf);
}

function statusesOf(decisions: readonly Decision[]): number[] {
  return decisions.flatMap((each) => ('reason' in each ? [REFUSALS[each.reason].status] : []));
}

function isModernFact(given: RequestFacts): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(given.version ?? '') && String(given.version) >= '2026-07-28';
}

describe('the head of any request', () => {
  test('A7: without a key decides, so that the store is not read, and never for a session', () => {
    fc.assert(
      fc.property(request, (given) => {
        const decided = decideByHead({ ...given, sessionId: undefined });
        expect(['open', 'refuse-proxied']).toContain(decided?.kind);
        expect(decided?.kind === 'refuse-proxied' && !isModernFact(given)).toBe(false);
      }),
    );
  });

  test('E1: of the modern era decides the same whatever id it carries, and opens nothing', () => {
    fc.assert(
      fc.property(request, sessionId, (given, other) => {
        fc.pre(isModernFact(given));
        const decided = decideByHead(given);
        expect(decided).toEqual(decideByHead({ ...given, sessionId: other }));
        const refused = { kind: 'refuse-proxied', reason: 'method_not_allowed' };
        const balanced = { opening: false, modern: true };
        expect(decided).toMatchObject(decided?.kind === 'open' ? balanced : refused);
      }),
      { numRuns: 500 },
    );
  });

  test('A4: of the other eras leaves it to the store if the id is one, and refuses it if it is none', () => {
    fc.assert(
      fc.property(request, (given) => {
        const { sessionId: id } = given;
        fc.pre(!isModernFact(given) && id !== undefined);
        const valid = id.length > 0 && id.length <= 1024 && /^[\x21-\x7e]*$/.test(id);
        const refused = { kind: 'refuse', reason: 'invalid_session_id' };
        expect(decideByHead(given)).toEqual(valid ? undefined : refused);
      }),
      { numRuns: 500 },
    );
  });

  test('A7: only of a POST, or with sse of a GET for a stream, opens something', () => {
    fc.assert(
      fc.property(request, (given) => {
        const decided = decideByHead(given);
        const opens = decided?.kind === 'open' && decided.opening;
        const streams = given.method === 'GET' && given.asksForStream === true;
        const may = !isModernFact(given) && given.sessionId === undefined;
        expect(opens).toBe(may && (given.method === 'POST' || streams));
        expect(decided?.kind === 'open' && decided.stream === true).toBe(may && streams);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a request with a key', () => {
  const keyed = request.map((given) => ({ ...given, sessionId: 'x' }));

  test('A1: goes with the record that was found, and no other', () => {
    fc.assert(
      fc.property(keyed, lookup, (given, found) => {
        const decided = [decideByLookup(given, found), decideByQuery(found)].flatMap(outcomesOf);
        const records = decided.flatMap((each) => (each.kind === 'pinned' ? [each.record] : []));
        expect(records).toEqual(found.kind === 'live' ? [found.record, found.record] : []);
      }),
    );
  });

  test('A9: is never told 400 or 404, nor let through, while the store does not answer', () => {
    fc.assert(
      fc.property(keyed, (given) => {
        const found: Lookup = { kind: 'unavailable' };
        for (const decided of [decideByLookup(given, found), decideByQuery(found)])
          expect(decided).toEqual({ kind: 'refuse', reason: 'store_unavailable' });
      }),
    );
  });

  test('A2, A3: of no live session reaches no backend, unless it is initialize', () => {
    fc.assert(
      fc.property(keyed, lookup, (given, found) => {
        fc.pre(found.kind === 'ended' || found.kind === 'unknown');
        const decided = decideByLookup(given, found);
        const otherwise = decided.kind === 'read-body' ? decided.otherwise : decided;
        const status = found.kind === 'ended' ? 404 : 400;
        expect(statusesOf([otherwise, decideByQuery(found)])).toEqual([status, status]);
        expect(decided.kind).toBe(given.method === 'POST' ? 'read-body' : 'refuse');
      }),
    );
  });

  test('A5: opens a new session only as initialize, and never with the owner aside', () => {
    fc.assert(
      fc.property(keyed, lookup, (given, found) => {
        const decided = decideByLookup(given, found);
        const reads = decided.kind === 'read-body';
        const opening = { kind: 'open', opening: true, turn: 'opening' };
        const openings = outcomesOf(decided).filter(({ kind }) => kind === 'open');
        expect(openings).toEqual(reads ? [opening] : []);
        expect(reads && decided.otherwise.kind === 'open').toBe(false);
        expect(reads && found.kind === 'live' && given.version !== undefined).toBe(false);
      }),
    );
  });

  test('is decided the same each time, and the shared decisions cannot be changed', () => {
    fc.assert(
      fc.property(request, lookup, (given, found) => {
        expect(decideByLookup(given, found)).toEqual(decideByLookup({ ...given }, found));
        const opened = decideByHead(given);
        expect(opened?.kind === 'open' && !Object.isFrozen(opened)).toBe(false);
      }),
    );
  });
});
