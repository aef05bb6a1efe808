import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { FIRST_TTL } from '../../../src/store/session-times.ts';
import { bench, ENDED_TTL, KEY, recordOf, settled, type Bench } from './clocked-store.ts';

const TTL = 4 * FIRST_TTL;
const LIVE = { kind: 'live', record: recordOf() };

async function opened(ttl = TTL): Promise<Bench> {
  const made = bench({ ttl });
  await made.directory.create(KEY, recordOf());
  made.store.taken();
  return made;
}

describe('a session that was opened', () => {
  test('is over after a quarter of an hour if it is not used', async () => {
    const { directory, another, clock } = await opened();
    clock.advance(FIRST_TTL - 1);
    expect(await another().lookup(KEY)).toEqual(LIVE);
    const made = await opened();
    made.clock.advance(FIRST_TTL);
    expect(await made.directory.lookup(KEY)).toEqual({ kind: 'ended' });
    expect(await made.another().lookup(KEY)).toEqual({ kind: 'ended' });
    expect(await directory.lookup(KEY)).toEqual(LIVE);
  });

  test.each(['the gateway that has opened it', 'another one'])(
    'has its whole time from the first request on, at %s',
    async (where) => {
      const { directory, another, clock, store } = await opened();
      const used = where === 'another one' ? another() : directory;
      clock.advance(FIRST_TTL / 2);
      expect(await used.lookup(KEY)).toEqual(LIVE);
      await settled();
      expect(store.taken().filter((verb) => verb === 'touch')).toHaveLength(1);
      clock.advance(TTL - 1);
      for (const each of [used, another()]) expect(await each.lookup(KEY)).toEqual(LIVE);
    },
  );

  test('is refreshed later if the store could not at first', async () => {
    const { directory, store, clock } = await opened();
    store.fault = { touch: 'reject' };
    await directory.lookup(KEY);
    await settled();
    store.fault = undefined;
    clock.advance(1000);
    await directory.lookup(KEY);
    await settled();
    clock.advance(FIRST_TTL);
    expect(await directory.lookup(KEY)).toEqual(LIVE);
  });

  test('has no longer time than others if theirs is short', async () => {
    const { directory, clock } = await opened(1000);
    clock.advance(1000);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
    clock.advance(ENDED_TTL);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'unknown' });
  });

  test.each([
    [1, 'live'],
    [2, 'ended'],
  ])(
    'is refreshed once more without a request: after %d failures it is %s',
    async (failures, kind) => {
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
      const { directory, store, clock } = await opened();
      store.fault = { touch: 'reject' };
      await directory.lookup(KEY);
      await settled();
      for (let failed = 1; failed <= failures; failed += 1) {
        if (failed === failures) store.fault = failures === 1 ? undefined : store.fault;
        clock.advance(1000);
        jest.advanceTimersByTime(1000);
        await settled();
      }
      store.fault = undefined;
      jest.advanceTimersByTime(60_000);
      await settled();
      clock.advance(FIRST_TTL);
      expect(await directory.lookup(KEY)).toMatchObject({ kind });
    },
  );

  test('is refreshed once by many requests that come at the same time', async () => {
    const { another, store } = await opened();
    const cold = another();
    await Promise.all(Array.from({ length: 10 }, async () => cold.lookup(KEY)));
    await settled();
    expect(store.taken().filter((verb) => verb === 'touch')).toHaveLength(1);
  });
});

describe('a store that cannot touch', () => {
  test('does not let a session live again that was ended meanwhile', async () => {
    const made = bench({ ttl: TTL, without: ['touch'] });
    const { directory, store, another } = made;
    await directory.create(KEY, recordOf());
    // The refresh of the first request reads, and the end comes in between.
    void directory.lookup(KEY);
    await directory.end(KEY, recordOf(), 'deleted');
    await settled();
    await settled();
    expect(store.taken()).not.toContain('set');
    expect(await another().lookup(KEY)).toMatchObject({ kind: 'ended' });
  });
});

afterEach(() => {
  jest.useRealTimers();
});
