import { describe, expect, test } from '@jest/globals';
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
  test('is over after five minutes if it is not used', async () => {
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
});
