import { describe, expect, test } from '@jest/globals';
import { benchWithSession, KEY, recordOf } from './clocked-store.ts';

const MOVED = { ...recordOf(), version: 2, backend_url: 'http://b' };
const LIVE = { kind: 'live', record: MOVED };

describe('a session that goes on at another backend', () => {
  test('is found there at once, by this gateway and by others', async () => {
    const { directory, another } = await benchWithSession();
    expect(await directory.move(KEY, MOVED)).toEqual({ kind: 'moved', record: MOVED });
    expect(directory.lookup(KEY)).toEqual(LIVE);
    expect(await another().lookup(KEY)).toEqual(LIVE);
  });

  test('is where another gateway has moved it before', async () => {
    const { directory, another } = await benchWithSession();
    await another().move(KEY, MOVED);
    const late = { ...MOVED, backend_url: 'http://c' };
    expect(await directory.move(KEY, late)).toEqual({ kind: 'moved', record: MOVED });
  });

  test('is over if it was ended before', async () => {
    const { directory, another } = await benchWithSession();
    await another().endNow(KEY, 'called');
    expect(await directory.move(KEY, MOVED)).toEqual({ kind: 'ended' });
    expect(directory.lookup(KEY)).toEqual({ kind: 'ended' });
  });

  test('stays where it is while the store cannot be told', async () => {
    const { directory, store } = await benchWithSession();
    store.fault = 'reject';
    expect(await directory.move(KEY, MOVED)).toEqual({ kind: 'unavailable' });
    store.fault = undefined;
    expect(directory.lookup(KEY)).toMatchObject({ record: recordOf() });
  });

  test('is moved although that it has changed is heard before the store has answered', async () => {
    const { directory, store } = await benchWithSession();
    const release = store.holdAnswers();
    const moving = directory.move(KEY, MOVED);
    store.tell('changed', KEY);
    release();
    expect(await moving).toEqual({ kind: 'moved', record: MOVED });
    expect(await directory.lookup(KEY)).toEqual(LIVE);
  });
});
