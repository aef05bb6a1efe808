import { describe, expect, test } from '@jest/globals';
import { BACKEND_URL, tombstoneOf } from '../../../src/store/record.ts';
import {
  bench,
  benchWithSession,
  ENDED_TTL,
  KEY,
  recordOf,
  settled,
  TTL,
  type Verb,
} from './clocked-store.ts';

const TENTH = TTL / 10;
const ALWAYS_HEARD = { cache: { maxAge: 10 * TTL } };

function count(verbs: readonly Verb[], verb: Verb): number {
  return verbs.filter((each) => each === verb).length;
}

describe('the time of a session', () => {
  test('is refreshed at most once in a tenth of the ttl, without waiting for it', async () => {
    const { directory, store, clock } = await benchWithSession(ALWAYS_HEARD);
    for (let request = 0; request < 100; request += 1) {
      clock.advance(TENTH / 10);
      expect(directory.lookup(KEY)).not.toBeInstanceOf(Promise);
      await settled();
    }
    expect(store.taken()).toEqual(Array(10).fill('touch'));
  });

  test('is not refreshed by requests within a tenth of the ttl', async () => {
    const { directory, store, clock } = await benchWithSession(ALWAYS_HEARD);
    clock.advance(TENTH - 1);
    void directory.lookup(KEY);
    expect(store.taken()).toEqual([]);
  });

  test('slides: a session in use lives on', async () => {
    const { directory, clock } = await benchWithSession();
    for (let request = 0; request < 20; request += 1) {
      clock.advance(TTL / 2);
      expect(await directory.lookup(KEY)).toMatchObject({ kind: 'live' });
      await settled();
    }
  });

  test('slides for all gateways when it is used on one', async () => {
    const { directory, another, clock } = await benchWithSession();
    const other = another();
    await other.lookup(KEY);
    for (let request = 0; request < 4; request += 1) {
      clock.advance(TTL / 2);
      await directory.lookup(KEY);
      await settled();
    }
    expect(await other.lookup(KEY)).toMatchObject({ kind: 'live' });
  });

  test('is refreshed by a gateway that sees the session for the first time, if a tenth has passed', async () => {
    const { another, store, clock } = await benchWithSession();
    clock.advance(TENTH);
    await another().lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry', 'touch']);
  });

  test('is slid by an open stream', async () => {
    const { directory, store, clock } = await benchWithSession();
    clock.advance(TTL - 1);
    void directory.lookup(KEY);
    await settled();
    expect(store.taken()).toContain('touch');
    clock.advance(TTL - 1);
    expect(await directory.lookup(KEY)).toMatchObject({ kind: 'live' });
  });

  test('is not brought back by a stream that outlived it', async () => {
    const { directory, store, clock, ended } = await benchWithSession();
    clock.advance(TTL);
    void directory.lookup(KEY);
    await settled();
    expect(store.taken()).toEqual(['getWithExpiry']);
    expect(ended).toEqual([KEY]);
  });

  test('is tried again in the next tenth when refreshing fails', async () => {
    const { directory, store, clock, failures } = await benchWithSession(ALWAYS_HEARD);
    store.fault = { touch: 'reject' };
    for (let request = 0; request < 20; request += 1) {
      clock.advance(TENTH / 10);
      void directory.lookup(KEY);
    }
    await settled();
    expect(store.taken()).toEqual(['touch', 'touch']);
    expect(failures.map(({ during }) => during)).toEqual(['touch', 'touch']);
  });

  test('runs out although the session is used, when refreshing fails all the time', async () => {
    const { directory, store, clock } = await benchWithSession();
    store.fault = { touch: 'reject' };
    for (let request = 0; request < 10; request += 1) {
      clock.advance(TENTH);
      await directory.lookup(KEY);
      await settled();
    }
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
  });
});

describe('an expired session', () => {
  test('is ended, not unknown, for endedTtl', async () => {
    const { directory, another, clock } = await benchWithSession();
    clock.advance(TTL);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
    clock.advance(ENDED_TTL - 1);
    expect(await another().lookup(KEY)).toEqual({ kind: 'ended' });
    clock.advance(1);
    expect(await another().lookup(KEY)).toEqual({ kind: 'unknown' });
  });

  test('is live until the last millisecond', async () => {
    const { another, clock } = await benchWithSession();
    clock.advance(TTL - 1);
    expect(await another().lookup(KEY)).toMatchObject({ kind: 'live' });
  });

  test('is unknown where the store cannot tell the time', async () => {
    const { directory, clock } = await benchWithSession({ without: ['getWithExpiry'] });
    clock.advance(TTL);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'unknown' });
  });

  test('cannot be replaced by a session of another backend', async () => {
    const { directory, clock } = await benchWithSession();
    clock.advance(TTL);
    expect(await directory.create(KEY, recordOf(KEY, 'http://other'))).toBe('conflict');
  });
});

describe('an ended session', () => {
  test('is ended for endedTtl, then unknown', async () => {
    const { directory, another, clock } = await benchWithSession();
    await directory.endNow(KEY, 'called');
    clock.advance(ENDED_TTL - 1);
    expect(await another().lookup(KEY)).toEqual({ kind: 'ended' });
    clock.advance(1);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'unknown' });
  });

  test('is unknown to a gateway that read it late, when the store has forgotten it', async () => {
    const { directory, another, clock } = await benchWithSession();
    await directory.endNow(KEY, 'called');
    clock.advance(ENDED_TTL - 1000);
    const other = another();
    expect(await other.lookup(KEY)).toEqual({ kind: 'ended' });
    clock.advance(1000);
    expect(await other.lookup(KEY)).toEqual({ kind: 'unknown' });
  });

  test('leaves a tombstone without its backend', async () => {
    const { directory, store } = await benchWithSession();
    await directory.endNow(KEY, 'called');
    expect(store.kept.get(KEY)?.record).toEqual(tombstoneOf(recordOf()));
    expect(store.kept.get(KEY)?.record).not.toHaveProperty(BACKEND_URL);
  });
});

describe('a store that cannot tell the time', () => {
  const WITHOUT = { without: ['getWithExpiry'] as const };

  test('keeps a record for the ttl alone', async () => {
    const { store, clock } = await benchWithSession(WITHOUT);
    expect(store.kept.get(KEY)?.until).toBe(clock.time + TTL);
  });

  test('is refreshed by a gateway that sees the session for the first time', async () => {
    const { another, store } = await benchWithSession(WITHOUT);
    const other = another();
    await other.lookup(KEY);
    void other.lookup(KEY);
    expect(store.taken()).toEqual(['get', 'touch']);
  });

  test('is refreshed at most once in a tenth of the ttl, though it is read each second', async () => {
    const { directory, store, clock } = await benchWithSession({
      without: ['getWithExpiry', 'subscribe'],
    });
    for (let second = 0; second < 100; second += 1) {
      clock.advance(1000);
      await directory.lookup(KEY);
      await settled();
    }
    const verbs = store.taken();
    expect(count(verbs, 'get')).toBe(100);
    expect(count(verbs, 'touch')).toBeLessThanOrEqual(10);
    expect(count(verbs, 'touch')).toBeGreaterThanOrEqual(9);
  });

  test('is refreshed at once by a gateway that thought the session was over', async () => {
    const { directory, store, clock } = await benchWithSession(WITHOUT);
    directory.forget(KEY, recordOf(), 'deleted');
    clock.advance(ENDED_TTL);
    store.put(KEY, recordOf(), TTL);
    expect(await directory.lookup(KEY)).toMatchObject({ kind: 'live' });
    await settled();
    expect(store.taken()).toEqual(['get', 'touch']);
  });

  test('is believed for a ttl where it has a session that should have expired', async () => {
    const { directory, store, clock } = await benchWithSession(WITHOUT);
    store.put(KEY, recordOf(), 2 * TTL);
    store.fault = { touch: 'reject' };
    clock.advance(TTL);
    await directory.lookup(KEY);
    store.taken();
    expect(directory.lookup(KEY)).toMatchObject({ kind: 'live' });
    expect(store.taken()).toEqual([]);
  });

  test('is not asked more often because refreshing fails', async () => {
    const { another, store, clock } = await benchWithSession(WITHOUT);
    const other = another();
    store.fault = { touch: 'reject' };
    for (let request = 0; request < 10; request += 1) {
      clock.advance(100);
      await other.lookup(KEY);
      await settled();
    }
    expect(store.taken()).toEqual(['get', 'touch']);
  });
});

describe('a store without touch', () => {
  test('is refreshed by storing the record again', async () => {
    const { directory, store, clock } = await benchWithSession({ without: ['touch'] });
    clock.advance(TENTH);
    await directory.lookup(KEY);
    await settled();
    expect(store.taken()).toEqual(['getWithExpiry', 'replace']);
    expect(store.kept.get(KEY)?.until).toBe(clock.time + TTL + ENDED_TTL);
  });

  test.each([
    ['an ended session', tombstoneOf(recordOf())],
    ['a record of a newer version', { ...recordOf(), format: 2 }],
    ['a record that is corrupt', 'corrupt'],
  ])('does not overwrite %s by refreshing', async (_what, record) => {
    const { directory, store, clock } = await benchWithSession({
      without: ['touch', 'subscribe'],
      cache: { maxAge: 100 },
    });
    clock.advance(TENTH);
    // What the gateway has read is replaced before it is refreshed.
    const release = store.holdAnswers();
    const reading = directory.lookup(KEY);
    store.put(KEY, record, TTL);
    release();
    await reading;
    await settled();
    expect(store.kept.get(KEY)?.record).toEqual(record);
    expect(store.taken()).toEqual(['getWithExpiry', 'getWithExpiry']);
  });
});

test('no decision needs the time of day', async () => {
  const { directory, another, clock } = await benchWithSession();
  const { now } = Date;
  Date.now = () => now() + 3_600_000;
  try {
    expect(directory.lookup(KEY)).toMatchObject({ kind: 'live' });
    expect(await another().lookup(KEY)).toMatchObject({ kind: 'live' });
    clock.advance(TTL);
    expect(await another().lookup(KEY)).toEqual({ kind: 'ended' });
  } finally {
    Date.now = now;
  }
});

test('a refresh that ends after the gateway was closed changes nothing', async () => {
  const { directory, store, clock, failures } = await benchWithSession();
  clock.advance(TENTH);
  const release = store.holdAnswers();
  void directory.lookup(KEY);
  await directory.close();
  release();
  await settled();
  expect(store.taken()).toContain('touch');
  expect(failures).toEqual([]);
});

test('a session that nobody has stored is touched by nobody', async () => {
  const { directory, store } = bench();
  void directory.lookup(KEY);
  await settled();
  expect(store.taken()).toEqual(['getWithExpiry']);
});

describe('E3: a task', () => {
  const idle = TTL * 10;
  const task = { ...recordOf(), idle };

  test('is kept for as long as it says, and its time is refreshed in parts of that', async () => {
    const { directory, store, clock } = bench();
    await directory.create(KEY, task);
    clock.advance(idle / 10 - 1);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'live', record: task });
    expect(store.taken()).not.toContain('touch');
    clock.advance(1);
    await directory.lookup(KEY);
    await settled();
    expect(store.taken()).toContain('touch');
    clock.advance(idle - 1);
    expect(await directory.lookup(KEY)).toMatchObject({ kind: 'live' });
  });

  test('is over when that time is over', async () => {
    const { directory, clock } = bench();
    await directory.create(KEY, task);
    clock.advance(idle);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
  });
});
