import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  BACKEND_URL,
  isSameSession,
  newRecord,
  NONCE,
  noteOf,
  readNote,
  readRecord,
  recoveredRecord,
  SESSION,
  tombstoneOf,
  VERSION,
  type SessionRecord,
} from '../../../src/store/record.ts';

const KEY = 'a'.repeat(64);
const KEYS = fc.constantFrom(KEY, 'b'.repeat(64), '', '__proto__', 'constructor');

/** Whatever a store may return: JSON, and what none is. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withTypedArray: true,
    withSparseArray: true,
  }),
);
const record = fc
  .record(
    {
      key: fc.constant(KEY),
      nonce: fc.string({ maxLength: 40 }),
      backendUrl: fc.webUrl(),
      backendId: fc.string({ maxLength: 20 }),
      path: fc.webPath(),
      idle: fc.integer({ min: 1 }),
    },
    { requiredKeys: ['key', 'nonce'] },
  )
  .map((session) => newRecord({ backendUrl: undefined, path: undefined, ...session }));
const members = fc.constantFrom(
  ...['format', 'session', 'version', 'nonce', 'backend_url', 'backend_id', 'backend_session'],
  ...['opened_on', 'note', 'idle', 'ended', 'extra', '__proto__', 'constructor', 'toString'],
);
const values = fc.oneof(
  anything,
  fc.constantFrom<unknown>(KEY, 1, '1', 'x'.repeat(2048), 'x'.repeat(2049), Number.NaN, 2 ** 53),
);
/** A record in which somebody has changed some members, as own ones whatever they are called. */
const spoilt = fc
  .tuple(record, fc.array(fc.tuple(members, values), { minLength: 1, maxLength: 3 }))
  .map(([good, changes]): unknown => {
    const changed: object = { ...good };
    for (const [name, value] of changes)
      Object.defineProperty(changed, name, { value, enumerable: true, configurable: true });
    return changed;
  });
const stored = fc.oneof(anything, spoilt, record);

function soundOf(key: string): SessionRecord {
  return newRecord({ key, nonce: 'n', backendUrl: undefined, path: undefined });
}

/** Each member is of the one type and size that others may rely on. */
function expectSound(read: SessionRecord, key: string): void {
  const { format, session, version, nonce, idle, ...texts } = read;
  expect({ format, session }).toEqual({ format: 1, session: key });
  expect(Number.isSafeInteger(version)).toBe(true);
  for (const text of [nonce, ...Object.values(texts)]) {
    expect(typeof text).toBe('string');
    expect(String(text).length).toBeLessThanOrEqual(2048);
  }
  expect(idle === undefined || idle > 0).toBe(true);
  const known = ['backend_url', 'backend_id', 'backend_session', 'opened_on'];
  expect(Object.keys(texts).filter((name) => !known.includes(name))).toEqual([]);
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
}

describe('A10: whatever a store returns', () => {
  test('is a sound record of this session, an ending, or none', () => {
    fc.assert(
      fc.property(stored, KEYS, (value, key) => {
        const reading = readRecord(value, key);
        expect(['live', 'ended', 'unusable']).toContain(reading.kind);
        expectSound(reading.kind === 'live' ? reading.record : soundOf(key), key);
      }),
      { numRuns: 1000 },
    );
  });

  test('is never the record, or the ending, of another session', () => {
    const key = fc.string().filter((other) => other !== KEY);
    fc.assert(
      fc.property(record, key, fc.boolean(), (good, other, over) => {
        const value = over ? tombstoneOf(good) : good;
        expect(readRecord(value, other)).toEqual({ kind: 'unusable' });
        expect(readRecord(JSON.parse(JSON.stringify(value)), KEY)).toEqual(
          over ? { kind: 'ended' } : { kind: 'live', record: good },
        );
      }),
    );
  });

  test('is none if another object has its members', () => {
    fc.assert(
      fc.property(record, fc.dictionary(fc.string(), fc.string()), (good, own) => {
        const inherited: object = Object.assign(Object.create(good) as object, own);
        expect(readRecord(inherited, KEY)).toEqual({ kind: 'unusable' });
      }),
    );
  });

  test('is a note of this session, or none', () => {
    fc.assert(
      fc.property(stored, KEYS, fc.string(), (value, key, note) => {
        expect(['string', 'undefined']).toContain(typeof readNote(value, key));
        const kept = noteOf({ key: KEY, nonce: 'n', note });
        expect(readNote(kept, key)).toBe(key === KEY ? note : undefined);
        expect(readRecord(kept, KEY)).toEqual({ kind: 'unusable' });
      }),
    );
  });

  test('B5: is the session that was to be created only with its nonce, if the backend is another', () => {
    fc.assert(
      fc.property(record, record, (one, other) => {
        fc.pre(one[BACKEND_URL] !== other[BACKEND_URL]);
        expect(isSameSession(one, other)).toBe(one[NONCE] === other[NONCE]);
      }),
    );
  });
});

test('a record that is moved, or ended, is a later version of the same session', () => {
  const at = { nonce: 'n', backendUrl: 'http://b', backendId: undefined, backendSession: 's' };
  fc.assert(
    fc.property(record, (before) => {
      for (const after of [tombstoneOf(before), recoveredRecord(before, at)]) {
        expect(after[VERSION]).toBe(before[VERSION] + 1);
        expect(after[SESSION]).toBe(before[SESSION]);
        expect(readRecord(after, KEY).kind).not.toBe('unusable');
      }
      expect(tombstoneOf(before)).not.toHaveProperty(BACKEND_URL);
    }),
  );
});
