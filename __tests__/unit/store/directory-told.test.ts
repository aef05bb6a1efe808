import { describe, expect, test } from '@jest/globals';
import type { SessionStore } from '../../../src/store/session-store.ts';
import { StoreAccess } from '../../../src/store/store-access.ts';
import type { StoreListener } from '../../../src/store/store-verb.ts';
import {
  bench,
  benchWithSession,
  type Clock,
  KEY,
  recordOf,
  settled,
  TTL,
} from './clocked-store.ts';

describe('why a session is over', () => {
  test('is the word of whoever has ended it', async () => {
    for (const reason of ['deleted', 'closed', 'called', 'lost', 'forgotten'] as const) {
      const { directory, reasons } = await benchWithSession();
      await directory.end(KEY, recordOf(), reason);
      expect(reasons).toEqual([reason]);
    }
  });

  test('is that too where the store tells of the end before it has answered', async () => {
    const { directory, store, reasons } = await benchWithSession();
    const release = store.holdAnswers();
    const ending = directory.endNow(KEY, 'called');
    release();
    await ending;
    store.tell('ended', KEY);
    expect(reasons).toEqual(['called']);
  });

  test('is that too where the store could not be told', async () => {
    const { directory, store, reasons } = await benchWithSession();
    store.fault = 'reject';
    const record = recordOf();
    expect(await directory.end(KEY, record, 'deleted')).toEqual({ kind: 'unavailable' });
    directory.forget(KEY, record, 'deleted');
    expect(reasons).toEqual(['deleted']);
  });

  test('is elsewhere where another gateway has ended it, heard or read', async () => {
    const heard = await benchWithSession();
    await heard.another().endNow(KEY, 'deleted');
    expect(heard.reasons).toEqual(['elsewhere']);
    const read = await benchWithSession({ without: ['subscribe'] });
    await read.another().endNow(KEY, 'deleted');
    read.clock.advance(2000);
    await read.directory.lookup(KEY);
    expect(read.reasons).toEqual(['elsewhere']);
  });

  test('is forgotten with what has failed', async () => {
    const { directory, store, reasons } = await benchWithSession();
    store.fault = 'reject';
    expect(await directory.end(KEY, recordOf(), 'lost')).toEqual({ kind: 'unavailable' });
    store.tell('ended', KEY);
    expect(reasons).toEqual(['elsewhere']);
  });

  test('is elsewhere for the one that comes too late to end it', async () => {
    const { directory, another, reasons } = await benchWithSession({ without: ['subscribe'] });
    await another().endNow(KEY, 'deleted');
    expect(await directory.end(KEY, recordOf(), 'lost')).toEqual({ kind: 'ended' });
    expect(reasons).toEqual(['elsewhere']);
  });

  test('is that nobody has used it', async () => {
    const { clock, directory, reasons } = await benchWithSession();
    clock.advance(2 * TTL);
    await directory.lookup(KEY);
    expect(reasons).toEqual(['expired']);
  });
});

describe('what the cache knows', () => {
  test('is counted, and so is what the store was asked for', async () => {
    const { directory, clock } = await benchWithSession();
    const before = directory.lookups;
    await directory.lookup(KEY);
    await directory.lookup(KEY);
    await directory.lookup('b'.repeat(64));
    clock.advance(31_000);
    await directory.lookup(KEY);
    const { hits, misses } = directory.lookups;
    expect([hits - before.hits, misses - before.misses]).toEqual([2, 2]);
  });

  test('is not counted without a cache', async () => {
    const { directory } = await benchWithSession({ cache: false });
    await directory.lookup(KEY);
    expect(directory.lookups).toEqual({ hits: 0, misses: 0 });
  });
});

test('how long the store takes is told, and how it fails', async () => {
  const { store, clock } = bench();
  const told: unknown[] = [];
  const access = accessTo(store, clock, (...answer) => void told.push(answer));
  const release = store.holdAnswers();
  const read = access.read(KEY);
  clock.advance(7);
  release();
  await read;
  store.fault = 'throw';
  expect(() => access.read(KEY)).toThrow('unavailable');
  store.fault = 'reject';
  await expect(access.touch(KEY, 1)).rejects.toThrow('unavailable');
  store.fault = 'hang';
  await expect(access.delete(KEY)).rejects.toThrow('unavailable');
  await settled();
  expect(told).toEqual([
    ['read', 7, undefined],
    ['read', 0, 'error'],
    ['touch', 0, 'error'],
    ['delete', 0, 'timeout'],
  ]);
});

function accessTo(
  ...[store, { now }, onAnswer]: [SessionStore, Clock, StoreListener]
): StoreAccess {
  return new StoreAccess(store, { storeTimeout: 20, onFailure() {}, onAnswer, now });
}
