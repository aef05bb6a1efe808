import { describe, expect, test } from '@jest/globals';
import { newRecord, NONCE, tombstoneOf, VERSION } from '../../../src/store/record.ts';
import {
  bench,
  benchWithSession,
  ENDED_TTL,
  KEY,
  recordOf,
  settled,
  TTL,
} from './clocked-store.ts';

const MINE = recordOf();
const THEIRS = recordOf(KEY, 'http://another-backend');
const VERBS = [
  { store: 'with create', without: [] },
  { store: 'without create', without: ['create'] },
  {
    store: 'of three verbs',
    without: ['create', 'getWithExpiry', 'replace', 'touch', 'subscribe'],
  },
] as const;

describe.each(VERBS)('creating a session in a store $store', ({ without }) => {
  test('stores it', async () => {
    const { directory, store } = bench({ without });
    expect(await directory.create(KEY, MINE)).toBe('created');
    expect(store.kept.get(KEY)?.record).toEqual(MINE);
  });

  test('is a conflict if the id belongs to a session of another backend, which stays', async () => {
    const { directory, store } = await benchWithSession({ without });
    expect(await directory.create(KEY, THEIRS)).toBe('conflict');
    expect(store.kept.get(KEY)?.record).toEqual(MINE);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'live', record: MINE });
  });

  test('is fine if the same backend repeats itself', async () => {
    const { directory, store } = await benchWithSession({ without });
    expect(await directory.create(KEY, { ...MINE, [NONCE]: 'another' })).toBe('created');
    expect(store.kept.get(KEY)?.record).toEqual(MINE);
  });

  test('is fine if it is ours already: the reply to our own write was lost', async () => {
    const { directory, store } = bench({ without });
    store.put(KEY, { ...THEIRS, [NONCE]: MINE[NONCE] }, TTL + ENDED_TTL);
    expect(await directory.create(KEY, MINE)).toBe('created');
  });

  test('is a conflict if the id was ended', async () => {
    const { directory, store } = bench({ without });
    store.put(KEY, tombstoneOf(MINE), ENDED_TTL);
    expect(await directory.create(KEY, MINE)).toBe('conflict');
    expect(store.kept.get(KEY)?.record).toEqual(tombstoneOf(MINE));
  });

  test.each([
    ['a record of a newer version', { ...MINE, format: 2 }],
    ['a corrupt record', 'corrupt'],
    ['a record that names another session', { ...MINE, session: 'b'.repeat(64) }],
  ])('never overwrites %s', async (_what, record) => {
    const { directory, store } = bench({ without });
    store.put(KEY, record, TTL + ENDED_TTL);
    expect(await directory.create(KEY, MINE)).toBe('conflict');
    expect(store.kept.get(KEY)?.record).toEqual(record);
  });
});

test('a session is created in one round trip', async () => {
  const { directory, store } = bench();
  await directory.create(KEY, MINE);
  expect(store.taken()).toEqual(['create']);
});

test('of two gateways that store the same id for two backends one wins', async () => {
  const { directory, another, store } = bench();
  const outcomes = await Promise.all([directory.create(KEY, MINE), another().create(KEY, THEIRS)]);
  expect(outcomes).toEqual(['created', 'conflict']);
  expect(store.kept.get(KEY)?.record).toEqual(MINE);
});

test('a session that is gone before it can be compared is a conflict', async () => {
  const { directory, store } = bench();
  store.create = async () => false;
  expect(await directory.create(KEY, MINE)).toBe('conflict');
});

test('a session of no known backend is the same only by its nonce or the lack of both', async () => {
  const local = newRecord({ key: KEY, nonce: 'local', backendUrl: undefined, path: '/mcp' });
  const { directory } = bench();
  await directory.create(KEY, local);
  expect(await directory.create(KEY, { ...local, [NONCE]: 'another' })).toBe('created');
  expect(await directory.create(KEY, MINE)).toBe('conflict');
});

describe('ending a session', () => {
  const MOVED = { ...THEIRS, [VERSION]: 2 };
  const END = [
    { store: 'with replace', without: [] },
    { store: 'without replace', without: ['replace'] },
    { store: 'of three verbs', without: ['create', 'getWithExpiry', 'replace', 'touch'] },
  ] as const;

  describe.each(END)('in a store $store', ({ without }) => {
    test('leaves a tombstone', async () => {
      const { directory, store, ended } = await benchWithSession({ without });
      expect(await directory.end(KEY, MINE, 'deleted')).toEqual({ kind: 'ended' });
      expect(store.kept.get(KEY)?.record).toEqual(tombstoneOf(MINE));
      expect(ended).toEqual([KEY]);
    });

    test('does nothing if another gateway has moved it meanwhile', async () => {
      const { directory, store, ended } = await benchWithSession({ without });
      store.put(KEY, MOVED, TTL + ENDED_TTL);
      expect(await directory.end(KEY, MINE, 'deleted')).toEqual({ kind: 'moved', record: MOVED });
      expect(await directory.endUnlessMoved(KEY, MINE, 'lost')).toEqual({
        kind: 'moved',
        record: MOVED,
      });
      expect(store.kept.get(KEY)?.record).toEqual(MOVED);
      expect(ended).toEqual([]);
    });

    test('does nothing to a session that the operator has set on another backend', async () => {
      const { directory, store } = await benchWithSession({ without });
      store.put(KEY, THEIRS, TTL + ENDED_TTL);
      expect(await directory.endUnlessMoved(KEY, MINE, 'lost')).toEqual({
        kind: 'moved',
        record: THEIRS,
      });
      expect(store.kept.get(KEY)?.record).toEqual(THEIRS);
    });

    test('goes after a session that was moved, if the operator wants it over', async () => {
      const { directory, store } = await benchWithSession({ without });
      store.put(KEY, MOVED, TTL + ENDED_TTL);
      expect(await directory.endNow(KEY, 'called')).toBe(true);
      expect(store.kept.get(KEY)?.record).toEqual(tombstoneOf(MOVED));
    });

    test.each([
      ['a record of a newer version', { ...MINE, format: 2, version: 2 }],
      ['a corrupt record', 'corrupt'],
      ['a record that names another session', { ...MINE, session: 'b'.repeat(64), version: 2 }],
    ])('never overwrites %s', async (_what, record) => {
      const { directory, store } = await benchWithSession({ without });
      store.put(KEY, record, TTL + ENDED_TTL);
      await directory.end(KEY, MINE, 'deleted');
      await directory.endUnlessMoved(KEY, MINE, 'lost');
      await directory.endNow(KEY, 'called');
      await settled();
      expect(store.kept.get(KEY)?.record).toEqual(record);
    });

    test('is fine if another gateway has ended it already', async () => {
      const { directory, another } = await benchWithSession({ without });
      await another().endNow(KEY, 'called');
      expect(await directory.end(KEY, MINE, 'deleted')).toEqual({ kind: 'ended' });
      expect(await directory.endNow(KEY, 'called')).toBe(false);
    });

    test('is fine if the store has forgotten it', async () => {
      const { directory, store } = await benchWithSession({ without });
      store.kept.clear();
      expect(await directory.end(KEY, MINE, 'deleted')).toEqual({ kind: 'ended' });
      expect(directory.lookup(KEY)).toEqual({ kind: 'ended' });
    });
  });

  test('in a store without replace leaves a newer record alone, even of the same version', async () => {
    const newer = { ...MINE, format: 2 };
    const { directory, store } = await benchWithSession({ without: ['replace'] });
    store.put(KEY, newer, TTL + ENDED_TTL);
    await directory.end(KEY, MINE, 'deleted');
    expect(store.kept.get(KEY)?.record).toEqual(newer);
  });

  test('takes one round trip', async () => {
    const { directory, store } = await benchWithSession();
    await directory.end(KEY, MINE, 'deleted');
    expect(store.taken()).toEqual(['replace']);
  });

  test('that seems lost is done only if the store still says so', async () => {
    const { directory, store } = await benchWithSession();
    expect(await directory.endUnlessMoved(KEY, MINE, 'lost')).toEqual({ kind: 'ended' });
    expect(store.taken()).toEqual(['getWithExpiry', 'replace']);
  });

  test('that was moved between reading and replacing goes to the new place', async () => {
    const { directory, store } = await benchWithSession();
    const replace = store.replace?.bind(store);
    store.replace = async (...args) => {
      store.put(KEY, MOVED, TTL + ENDED_TTL);
      return replace?.(...args) ?? false;
    };
    expect(await directory.endUnlessMoved(KEY, MINE, 'lost')).toEqual({
      kind: 'moved',
      record: MOVED,
    });
  });

  test('on the word of the operator goes after a session that is moved at that moment', async () => {
    const { directory, store } = await benchWithSession();
    const replace = store.replace?.bind(store);
    store.replace = async (...args) => {
      if (store.calls.length === 1) store.put(KEY, MOVED, TTL + ENDED_TTL);
      return replace?.(...args) ?? false;
    };
    expect(await directory.endNow(KEY, 'called')).toBe(true);
    expect(store.kept.get(KEY)?.record).toEqual(tombstoneOf(MOVED));
  });

  test('in a store without replace takes two round trips', async () => {
    const { directory, store } = await benchWithSession({ without: ['replace'] });
    await directory.end(KEY, MINE, 'deleted');
    expect(store.taken()).toEqual(['getWithExpiry', 'set']);
  });

  test('of which the reply was lost is told as a failure, and found ended afterwards', async () => {
    const { directory, store, another } = await benchWithSession();
    const replace = store.replace?.bind(store);
    store.replace = async (...args) => {
      await replace?.(...args);
      throw new Error('the reply was lost');
    };
    expect(await directory.end(KEY, MINE, 'deleted')).toEqual({ kind: 'unavailable' });
    expect(await another().lookup(KEY)).toEqual({ kind: 'ended' });
  });

  test('does not go on for ever with a store that replaces nothing', async () => {
    const { directory, store } = await benchWithSession();
    store.replace = async () => false;
    await expect(directory.endNow(KEY, 'called')).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  });

  test('that nobody has stored is false', async () => {
    const { directory } = bench();
    expect(await directory.endNow(KEY, 'called')).toBe(false);
  });
});
