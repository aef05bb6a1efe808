import { describe, expect, test } from '@jest/globals';
import {
  newRecord,
  PRINCIPAL,
  tombstoneOf,
  type SessionRecord,
} from '../../../src/store/record.ts';
import { bench, ENDED_TTL, KEY, settled, TTL, type Bench } from './clocked-store.ts';

const RECORD: SessionRecord = newRecord({
  key: KEY,
  nonce: 'n',
  backendUrl: 'http://backend-1',
  path: '/mcp',
  principal: 'mark',
});
const ENDED = { kind: 'ended', principal: 'mark' };
const STRANGERS: SessionRecord = { ...RECORD, nonce: 'other', [PRINCIPAL]: 'other mark' };

async function opened(bound = true): Promise<Bench> {
  const made = bench({ bound });
  await made.directory.create(KEY, RECORD);
  return made;
}

describe('whose a session was is known when it is over', () => {
  test('on the gateway that has ended it', async () => {
    const { directory } = await opened();
    await directory.end(KEY, RECORD, 'deleted');
    expect(directory.lookup(KEY)).toEqual(ENDED);
  });

  test('although the store could not be told', async () => {
    const { directory, store } = await opened();
    store.fault = 'reject';
    directory.forget(KEY, RECORD, 'deleted');
    expect(directory.lookup(KEY)).toEqual(ENDED);
  });

  test('on a gateway that reads its tombstone', async () => {
    const { directory, another } = await opened();
    await directory.end(KEY, RECORD, 'deleted');
    expect(await another().lookup(KEY)).toEqual(ENDED);
  });

  test('when it has expired', async () => {
    const { directory, clock, another } = await opened();
    clock.advance(TTL);
    expect(await directory.lookup(KEY)).toEqual(ENDED);
    expect(await another().lookup(KEY)).toEqual(ENDED);
  });

  test('on a gateway that has heard of its end and had it in use', async () => {
    const { directory, another, store } = await opened();
    const other = another();
    await other.lookup(KEY);
    await settled();
    await directory.end(KEY, RECORD, 'deleted');
    store.taken();
    expect(other.lookup(KEY)).toEqual(ENDED);
    expect(store.taken()).toEqual([]);
  });
});

describe('a gateway that has heard of the end of a session it has never seen', () => {
  async function heard(bound: boolean): Promise<Bench & { readonly other: Bench['directory'] }> {
    const made = await opened(bound);
    const other = made.another();
    await made.directory.end(KEY, RECORD, 'deleted');
    made.store.taken();
    return { ...made, other };
  }

  test('asks the store whose it was, once', async () => {
    const { other, store } = await heard(true);
    expect(await other.lookup(KEY)).toEqual(ENDED);
    expect(other.lookup(KEY)).toEqual(ENDED);
    expect(store.taken()).toEqual(['getWithExpiry']);
  });

  test('says nothing while the store does not', async () => {
    const { other, store } = await heard(true);
    store.fault = 'reject';
    expect(await other.lookup(KEY)).toEqual({ kind: 'unavailable' });
    store.fault = undefined;
    expect(await other.lookup(KEY)).toEqual(ENDED);
  });

  test('does not let it live again by an old copy of its record', async () => {
    const { other, store } = await heard(true);
    store.put(KEY, RECORD, TTL + ENDED_TTL);
    expect(await other.lookup(KEY)).toEqual(ENDED);
  });

  test('has nothing to ask where sessions are for everybody', async () => {
    const { other, store } = await heard(false);
    expect(other.lookup(KEY)).toEqual({ kind: 'ended' });
    expect(store.taken()).toEqual([]);
  });
});

describe('a session is stored for one principal', () => {
  test('not once more for another one, by the same backend', async () => {
    const { directory } = await opened();
    expect(await directory.create(KEY, STRANGERS)).toBe('foreign');
    expect(await directory.create(KEY, { ...RECORD, nonce: 'again' })).toBe('created');
    expect(await directory.lookup(KEY)).toEqual({ kind: 'live', record: RECORD });
  });

  test('nor when it is over', async () => {
    const { directory, store } = await opened();
    store.put(KEY, tombstoneOf(RECORD), ENDED_TTL);
    expect(await directory.create(KEY, STRANGERS)).toBe('conflict');
  });
});

test('a look at a session that is no use of it does not keep it alive', async () => {
  const { directory, another, store, clock } = await opened();
  const cold = another();
  clock.advance(TTL - 1);
  for (const each of [directory, cold])
    expect(await each.lookup(KEY, false)).toMatchObject({ kind: 'live' });
  await settled();
  expect(store.taken()).not.toContain('touch');
  clock.advance(1);
  expect(await cold.lookup(KEY, false)).toEqual(ENDED);
  expect(await directory.lookup(KEY)).toEqual(ENDED);
});

test('who has looked may say that it was one', async () => {
  const { directory, store, clock } = await opened();
  clock.advance(TTL - 1);
  await directory.lookup(KEY, false);
  directory.used(KEY);
  await settled();
  expect(store.taken()).toContain('touch');
  clock.advance(TTL - 1);
  expect(await directory.lookup(KEY)).toMatchObject({ kind: 'live' });
});
