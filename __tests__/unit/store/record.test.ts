import { describe, expect, test } from '@jest/globals';
import {
  BACKEND_URL,
  haveOneBackend,
  newRecord,
  noteOf,
  OPENED_ON,
  readNote,
  readRecord,
  recoveredRecord,
  tombstoneOf,
  type SessionRecord,
} from '../../../src/store/record.ts';
import { benchWithSession, KEY, recordOf } from './clocked-store.ts';

const RECORD = recordOf();
/** Throws at whoever looks at it. */
const trapped: object = new Proxy(
  {},
  {
    getOwnPropertyDescriptor() {
      throw new Error('trapped');
    },
  },
);
const UNUSABLE = { kind: 'unusable' };

test('a record is JSON with these members', () => {
  expect(JSON.parse(JSON.stringify(RECORD))).toEqual({
    format: 1,
    session: KEY,
    version: 1,
    nonce: 'nonce of http://backend-1',
    backend_url: 'http://backend-1',
    opened_on: '/mcp',
  });
});

test('a tombstone is a later version without the backend', () => {
  expect(JSON.parse(JSON.stringify(tombstoneOf(RECORD)))).toEqual({
    format: 1,
    session: KEY,
    version: 2,
    nonce: 'nonce of http://backend-1',
    ended: true,
  });
});

describe('a record that was stored', () => {
  test('is read as it was', () => {
    expect(readRecord(JSON.parse(JSON.stringify(RECORD)), KEY)).toEqual({
      kind: 'live',
      record: RECORD,
    });
  });

  test('is ended if it is a tombstone', () => {
    expect(readRecord(tombstoneOf(RECORD), KEY)).toEqual({ kind: 'ended' });
  });

  test('may lack what is not needed', () => {
    const record = newRecord({ key: KEY, nonce: 'n', backendUrl: undefined, path: undefined });
    expect(readRecord(record, KEY)).toEqual({ kind: 'live', record });
    expect(Object.keys(record)).toEqual(['format', 'session', 'version', 'nonce']);
  });

  test('is live if a store gives null for what it was not given', () => {
    const nothing = { ended: null, backend_id: null, backend_session: null, note: null };
    expect(readRecord({ ...RECORD, ...nothing }, KEY)).toEqual({ kind: 'live', record: RECORD });
  });

  test('gives nothing but its own members', () => {
    const stored = JSON.parse(`{"__proto__": {"admin": true}, "admin": true, "constructor": 1}`);
    const reading = readRecord({ ...stored, ...RECORD }, KEY);
    expect(reading).toEqual({ kind: 'live', record: RECORD });
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test.each([17, null, { url: 'http://evil' }, ['http://evil']])(
    'has no backend if that is %j',
    (backendUrl) => {
      const reading = readRecord({ ...RECORD, [BACKEND_URL]: backendUrl }, KEY);
      expect(reading).not.toHaveProperty(`record.${BACKEND_URL}`);
      expect(reading).toHaveProperty(`record.${OPENED_ON}`);
    },
  );
});

describe('a record cannot be used', () => {
  const inherited = Object.create(RECORD) as SessionRecord;
  const computed = Object.defineProperty({ ...RECORD }, 'session', {
    get(): string {
      throw new Error('code of a store must not run');
    },
  });
  test.each<[string, unknown]>([
    ['it is absent', undefined],
    ['it is null', null],
    ['it is a string', JSON.stringify(RECORD)],
    ['it is a number', 7],
    ['it is a list', [RECORD]],
    ['it is empty', {}],
    ['it names another session', { ...RECORD, session: 'b'.repeat(64) }],
    ['it names none', { ...RECORD, session: undefined }],
    ['it is of a newer format', { ...RECORD, format: 2 }],
    ['it is of an older format', { ...RECORD, format: 0 }],
    ['its format is a string', { ...RECORD, format: '1' }],
    ['it has no version', { ...RECORD, version: undefined }],
    ['its version is a string', { ...RECORD, version: '1' }],
    ['its version is no whole number', { ...RECORD, version: 1.5 }],
    ['its version cannot be counted on', { ...RECORD, version: 2 ** 53 }],
    ['its nonce is none', { ...RECORD, nonce: 5 }],
    ['its nonce is huge', { ...RECORD, nonce: 'n'.repeat(2049) }],
    ['its backend is huge', { ...RECORD, backend_url: `http://${'b'.repeat(2042)}` }],
    ['its members are inherited', inherited],
    ['its members came with __proto__', JSON.parse(`{"__proto__": ${JSON.stringify(RECORD)}}`)],
    ['its members are computed', computed],
    ['looking at it throws', trapped],
  ])('if %s', (_why, stored) => {
    expect(readRecord(stored, KEY)).toEqual(UNUSABLE);
  });
});

describe('the record of a recovered session', () => {
  const at = { nonce: 'm', backendUrl: 'http://b', backendId: 'two', backendSession: 'sealed' };

  test('is a later version, of another backend', () => {
    const recovered = recoveredRecord({ ...RECORD, backend_id: 'one' }, at);
    expect(recovered).toEqual({
      ...{ ...RECORD, version: RECORD.version + 1, nonce: 'm', backend_url: 'http://b' },
      ...{ backend_id: 'two', backend_session: 'sealed' },
    });
    expect(readRecord(recovered, KEY)).toEqual({ kind: 'live', record: recovered });
  });

  test('names no instance where its backend has none', () => {
    const nameless = { ...at, backendId: undefined };
    expect(recoveredRecord({ ...RECORD, backend_id: 'one' }, nameless)).not.toHaveProperty(
      'backend_id',
    );
  });

  test.each(['backend_url', 'backend_id', 'backend_session'])(
    'is told from another one by its %s',
    (member) => {
      const recovered = recoveredRecord(RECORD, at);
      expect(haveOneBackend(recovered, { ...recovered, version: 9, nonce: 'x' })).toBe(true);
      expect(haveOneBackend(recovered, { ...recovered, [member]: 'other' })).toBe(false);
    },
  );
});

describe('a note beside a record', () => {
  const note = noteOf({ key: KEY, nonce: 'n', note: 'sealed' });

  test('is read under its own key only, and is no record of a session', () => {
    expect([readNote(note, KEY), readNote(note, 'other')]).toEqual(['sealed', undefined]);
    expect(readRecord(note, KEY)).toEqual({ kind: 'unusable' });
  });

  test.each([RECORD, { ...note, format: 2 }, { ...note, note: 7 }, 'sealed', null])(
    'is not %j',
    (stored) => {
      expect(readNote(stored, KEY)).toBeUndefined();
    },
  );

  test('may have 14 336 characters', () => {
    const [longest, longer] = [14_336, 14_337].map((length) => ({
      ...note,
      note: 'x'.repeat(length),
    }));
    expect(readNote(longest, KEY)).toHaveLength(14_336);
    expect(readNote(longer, KEY)).toBeUndefined();
  });
});

test('a path that is too long for a record is left out, when it is stored and when it is read', () => {
  const path = `/${'p'.repeat(2048)}`;
  const record = newRecord({ key: KEY, nonce: 'n', backendUrl: 'http://b', path });
  expect(record).not.toHaveProperty(OPENED_ON);
  expect(readRecord({ ...record, [OPENED_ON]: path }, KEY)).toEqual({ kind: 'live', record });
});

test('a path of 2048 characters is kept', () => {
  const path = `/${'p'.repeat(2047)}`;
  expect(newRecord({ key: KEY, nonce: 'n', backendUrl: undefined, path })[OPENED_ON]).toBe(path);
});

describe('a session whose record cannot be read', () => {
  test.each<[string, unknown]>([
    ['corrupt', '{"backend_url":'],
    ['of a newer format', { ...RECORD, format: 2 }],
    ['naming another session', { ...RECORD, session: 'b'.repeat(64) }],
  ])('is ended, and told as such (%s)', async (_what, record) => {
    const { another, store, directory, clock, failures } = await benchWithSession();
    store.put(KEY, record, 1e9);
    expect(await another().lookup(KEY)).toEqual({ kind: 'ended' });
    clock.advance(30_000);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
    const error = new Error('a record that cannot be read was found');
    expect(failures).toEqual([{ during: 'decode', error }]);
    expect(store.kept.get(KEY)?.record).toEqual(record);
  });

  test.each(['getWithExpiry', 'create'] as const)(
    'is ended, also where looking at the record throws, without %s',
    async (verb) => {
      const { another, store, failures } = await benchWithSession({ without: [verb] });
      store.kept.set(KEY, { record: trapped, until: Infinity });
      const directory = another();
      expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
      expect(await directory.create(KEY, RECORD)).toBe('conflict');
      expect(await directory.endNow(KEY, 'called')).toBe(false);
      expect(failures).toEqual([]);
    },
  );

  test('is told as such where looking at the record throws', async () => {
    const { directory, store, clock, failures } = await benchWithSession();
    store.kept.set(KEY, { record: trapped, until: Infinity });
    clock.advance(30_000);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
    expect(failures.map(({ during }) => during)).toEqual(['decode']);
  });

  test('is live again when its record is', async () => {
    const { another, store } = await benchWithSession();
    const other = another();
    store.put(KEY, 'corrupt', 1e9);
    await other.lookup(KEY);
    store.put(KEY, RECORD, 1e9);
    expect(await other.lookup(KEY)).toEqual({ kind: 'live', record: RECORD });
  });
});
