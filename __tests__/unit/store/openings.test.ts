import { describe, expect, test } from '@jest/globals';
import { Openings } from '../../../src/store/openings.ts';
import { StoreAccess } from '../../../src/store/store-access.ts';
import { keyOf, scriptedStore, type ScriptedStore } from '../../helpers/scripted-store.ts';
import { until } from '../../helpers/until.ts';

const OPENING = { path: '/mcp?x=1', body: '{"method":\n"initialize"}' };
const KEY = keyOf('id');

function openingsOn(store: ScriptedStore): Openings {
  const access = new StoreAccess(store, { storeTimeout: 1000, onFailure() {}, now: () => 0 });
  return new Openings(access, { whole: 5000, first: 5000 });
}

describe('what a session was opened with', () => {
  test('is read again by any gateway, with the id of the session', async () => {
    const store = scriptedStore();
    await openingsOn(store).keep(KEY, 'id', OPENING);
    expect(await openingsOn(store).read(KEY, 'id')).toEqual(OPENING);
    expect(await openingsOn(store).read(KEY, 'other')).toBeUndefined();
    expect(await openingsOn(store).read(keyOf('other'), 'id')).toBeUndefined();
  });

  test('is kept as long as the record of a session, from its last use on', async () => {
    const store = scriptedStore();
    const openings = openingsOn(store);
    await openings.keep(KEY, 'id', OPENING);
    const [kept] = store.kept.values();
    expect(kept?.expiresIn).toBe(5000);
    Object.assign(kept ?? {}, { expiresIn: 1 });
    openings.touch(KEY);
    await until(() => kept?.expiresIn === 5000);
  });

  test('is not kept if a store could not take it', async () => {
    const store = scriptedStore();
    const openings = openingsOn(store);
    await openings.keep(KEY, 'id', { ...OPENING, path: `/${'x'.repeat(2048)}` });
    await openings.keep(KEY, 'id', { ...OPENING, body: 'x'.repeat(8193) });
    expect(store.kept.size).toBe(0);
  });

  test('is kept as long by a store that cannot touch', async () => {
    const store = scriptedStore({ without: ['touch'] });
    const openings = openingsOn(store);
    await openings.keep(KEY, 'id', OPENING);
    const [key = '', kept] = [...store.kept][0] ?? [];
    Object.assign(kept ?? {}, { expiresIn: 1 });
    openings.touch(KEY);
    await until(() => store.kept.get(key)?.expiresIn === 5000);
    expect(await openings.read(KEY, 'id')).toEqual(OPENING);
  });

  test('goes with the session', async () => {
    const store = scriptedStore();
    const openings = openingsOn(store);
    await openings.keep(KEY, 'id', OPENING);
    openings.forget(KEY);
    await until(() => store.kept.size === 0);
    expect(await openings.read(KEY, 'id')).toBeUndefined();
  });

  test('is not known while the store fails, which is told, and ends no process', async () => {
    const store = scriptedStore();
    const openings = openingsOn(store);
    store.fault = 'reject';
    openings.touch(KEY);
    openings.forget(KEY);
    openings.release(KEY);
    await expect(openings.read(KEY, 'id')).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});

describe('a claim to open a session anew', () => {
  test('is given to one gateway at a time, for 30 s at most', async () => {
    const store = scriptedStore();
    const [one, other] = [openingsOn(store), openingsOn(store)];
    expect([await one.claim(KEY), await other.claim(KEY)]).toEqual([true, false]);
    expect([...store.kept.values()].map(({ expiresIn }) => expiresIn)).toEqual([30_000]);
    one.release(KEY);
    await until(() => store.kept.size === 0);
    expect(await other.claim(KEY)).toBe(true);
  });
});
