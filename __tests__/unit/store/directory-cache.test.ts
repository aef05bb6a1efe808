import { describe, expect, test } from '@jest/globals';
import {
  bench,
  benchWithSession,
  ENDED_TTL,
  KEY,
  recordOf,
  settled,
  TTL,
} from './clocked-store.ts';

const LIVE = { kind: 'live', record: recordOf() };
const OTHER = 'b'.repeat(64);

describe('a session in the cache', () => {
  test('is found without asking the store, and without a promise', async () => {
    const { directory, store } = await benchWithSession();
    expect(directory.lookup(KEY)).toEqual(LIVE);
    expect(store.calls).toEqual([]);
  });

  test('is read once by a gateway that has not seen it, and not again', async () => {
    const { another, store } = await benchWithSession();
    const cold = another();
    expect(await cold.lookup(KEY)).toEqual(LIVE);
    expect(cold.lookup(KEY)).toEqual(LIVE);
    expect(store.calls).toEqual(['getWithExpiry']);
  });

  test('is read again after maxAge', async () => {
    const { directory, store, clock } = await benchWithSession({ cache: { maxAge: 5000 } });
    clock.advance(4999);
    expect(directory.lookup(KEY)).toEqual(LIVE);
    expect(store.taken()).toEqual([]);
    clock.advance(1);
    expect(await directory.lookup(KEY)).toEqual(LIVE);
    expect(store.taken()).toEqual(['getWithExpiry']);
  });

  test('is read again after a second where the store cannot tell of endings', async () => {
    const { directory, store, clock } = await benchWithSession({ without: ['subscribe'] });
    clock.advance(999);
    await directory.lookup(KEY);
    expect(store.taken()).toEqual([]);
    clock.advance(1);
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry']);
  });

  test('is read again after maxAge where that is less than a second', async () => {
    const { directory, store, clock } = await benchWithSession({
      without: ['subscribe'],
      cache: { maxAge: 100 },
    });
    clock.advance(100);
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry']);
  });

  test('is not trusted longer by being told again that endings may be missed', async () => {
    const { directory, store, clock } = await benchWithSession();
    store.tell('interrupted');
    clock.advance(900);
    store.tell('interrupted');
    clock.advance(100);
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry']);
  });

  test('is trusted for a second once endings may be missed', async () => {
    const { directory, store, clock } = await benchWithSession();
    store.tell('interrupted');
    clock.advance(999);
    expect(directory.lookup(KEY)).toEqual(LIVE);
    clock.advance(1);
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry']);
    clock.advance(1000);
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry']);
  });

  test('is read again as soon as endings are heard again, then trusted for long', async () => {
    const { directory, store, clock } = await benchWithSession();
    store.tell('interrupted');
    store.tell('resumed');
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry']);
    clock.advance(9000);
    expect(directory.lookup(KEY)).toEqual(LIVE);
    expect(store.taken()).toEqual([]);
  });

  test('is not trusted for long if it was read while endings were not heard', async () => {
    const { directory, store, clock } = await benchWithSession();
    store.tell('interrupted');
    const release = store.holdAnswers();
    clock.advance(1000);
    const early = directory.lookup(KEY);
    store.tell('resumed');
    release();
    await early;
    clock.advance(1000);
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry', 'getWithExpiry']);
  });

  test('is read once for all requests that come at the same time', async () => {
    const { directory, store, clock } = await benchWithSession();
    clock.advance(30_000);
    const found = await Promise.all([1, 2, 3].map(async () => directory.lookup(KEY)));
    expect(found).toEqual([LIVE, LIVE, LIVE]);
    expect(store.taken().filter((verb) => verb === 'getWithExpiry')).toHaveLength(1);
  });

  test('gives way to those used later when the cache is full', async () => {
    const { directory, store } = await benchWithSession({ cache: { max: 1 } });
    await directory.create(OTHER, recordOf(OTHER));
    await directory.lookup(OTHER);
    await settled();
    store.taken();
    await directory.lookup(OTHER);
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry']);
  });
});

describe('without a cache', () => {
  test('each lookup reads', async () => {
    const { directory, store } = await benchWithSession({ cache: false });
    await directory.lookup(KEY);
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry', 'getWithExpiry']);
  });

  test('a store that cannot tell the time is not touched on each lookup', async () => {
    const { directory, store } = await benchWithSession({
      cache: false,
      without: ['getWithExpiry'],
    });
    await directory.lookup(KEY);
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['get', 'get']);
  });
});

describe('a session that another gateway ends', () => {
  test('is ended here when it is heard', async () => {
    const { directory, another, store, ended } = await benchWithSession();
    await another().endNow(KEY, 'called');
    store.taken();
    expect(directory.lookup(KEY)).toEqual({ kind: 'ended' });
    expect(ended).toEqual([KEY]);
    expect(store.taken()).toEqual([]);
  });

  test('is ended here, and told so, a second later when nothing is heard', async () => {
    const { directory, another, clock, ended } = await benchWithSession({ without: ['subscribe'] });
    await another().endNow(KEY, 'called');
    clock.advance(1000);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
    expect(ended).toEqual([KEY]);
  });

  test('stays ended when an answer from before arrives late', async () => {
    const { directory, store, clock, another } = await benchWithSession();
    const release = store.holdAnswers();
    clock.advance(30_000);
    const early = directory.lookup(KEY);
    const ending = another().endNow(KEY, 'called');
    store.tell('ended', KEY);
    release();
    await ending;
    expect(await early).toEqual({ kind: 'ended' });
    expect(directory.lookup(KEY)).toEqual({ kind: 'ended' });
  });

  test('is told of once, although a gateway hears its own endings too', async () => {
    const { directory, ended } = await benchWithSession();
    await directory.endNow(KEY, 'called');
    expect(ended).toEqual([KEY]);
  });

  test('is not told of by a gateway that has never seen it live', async () => {
    const { directory, store, ended } = bench();
    store.put(KEY, recordOf(), ENDED_TTL);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
    expect(ended).toEqual([]);
  });

  test('is told of although it is in the cache no more: a stream may be open', async () => {
    const { ended, store } = bench();
    store.tell('ended', KEY);
    expect(ended).toEqual([KEY]);
  });
});

describe('what is ended', () => {
  test('is not asked for again, whatever is missed', async () => {
    const { directory, store, clock } = await benchWithSession();
    await directory.endNow(KEY, 'called');
    store.taken();
    store.tell('interrupted');
    store.tell('resumed');
    clock.advance(TTL);
    expect(directory.lookup(KEY)).toEqual({ kind: 'ended' });
    expect(store.taken()).toEqual([]);
  });

  test('is not asked for again because a refresh was under way when it ended', async () => {
    const { directory, store, clock } = await benchWithSession();
    clock.advance(TTL / 10);
    const release = store.holdAnswers();
    void directory.lookup(KEY);
    store.tell('ended', KEY);
    release();
    await settled();
    clock.advance(TTL);
    store.taken();
    expect(directory.lookup(KEY)).toEqual({ kind: 'ended' });
    expect(store.taken()).toEqual([]);
  });

  test.each([{ cache: {} }, { cache: false as const }])(
    'stays so although the store could not be told ($cache)',
    async ({ cache }) => {
      const { directory, clock } = await benchWithSession({ cache });
      directory.forget(KEY, recordOf(), 'deleted');
      clock.advance(60_000);
      expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
    },
  );

  test('stays so although the store has nothing to say of it', async () => {
    const { directory, store } = await benchWithSession();
    store.kept.clear();
    await directory.end(KEY, recordOf(), 'deleted');
    expect(await directory.endNow(KEY, 'called')).toBe(false);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
  });

  test('may be created anew by its backend once the store has forgotten it', async () => {
    const { directory, store } = await benchWithSession();
    await directory.endNow(KEY, 'called');
    store.kept.clear();
    expect(await directory.create(KEY, recordOf())).toBe('created');
    expect(directory.lookup(KEY)).toEqual(LIVE);
  });
});

test('an unknown key is asked for each time: it may be stored by another gateway any moment', async () => {
  const { directory, store, another } = bench();
  expect(await directory.lookup(KEY)).toEqual({ kind: 'unknown' });
  await another().create(KEY, recordOf());
  store.taken();
  expect(await directory.lookup(KEY)).toEqual(LIVE);
  await settled();
  expect(store.taken()).toEqual(['getWithExpiry']);
});

describe('a session that another gateway has recovered', () => {
  const moved = { ...recordOf(), version: 2, backend_url: 'http://b' };

  test('is read again as soon as that is told, and goes to the new place', async () => {
    const { directory, store } = await benchWithSession();
    store.put(KEY, moved, TTL + ENDED_TTL);
    store.tell('changed', KEY);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'live', record: moved });
    expect(directory.lookup(KEY)).toEqual({ kind: 'live', record: moved });
  });

  test('that is told while the store is being read: what was read before is not kept', async () => {
    const { another, store } = await benchWithSession();
    const cold = another();
    const release = store.holdAnswers();
    const before = cold.lookup(KEY);
    store.put(KEY, moved, TTL + ENDED_TTL);
    release();
    await before;
    store.tell('changed', KEY);
    expect(await cold.lookup(KEY)).toEqual({ kind: 'live', record: moved });
  });

  test('and that this gateway does not know is nothing to it; an ended one stays ended', async () => {
    const { directory, store } = await benchWithSession();
    store.tell('changed', OTHER);
    await directory.endNow(KEY, 'called');
    store.tell('changed', KEY);
    store.taken();
    expect(directory.lookup(KEY)).toEqual({ kind: 'ended' });
    expect(store.taken()).toEqual([]);
  });
});
