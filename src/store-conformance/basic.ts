import { tombstoneOf } from '../store/record.ts';
import {
  assertAbsent,
  assertRecord,
  MINUTE,
  newId,
  recordOf,
  rule,
  RIVALS,
  untilAbsent,
  untilExpired,
  type Rule,
} from './kit.ts';

const THIRTY_DAYS = 30 * 24 * 60 * MINUTE;

/** Level `basic`. */
export const BASIC: readonly Rule[] = [
  rule('gives a record back as it was stored', async ({ store, id }) => {
    const record = { ...recordOf(id), opened_on: '/mcp/é?#%20' };
    await store.set(id, record, MINUTE);
    assertRecord(await store.get(id), record);
  }),
  rule('has nothing under an id that was never stored', async ({ store, id }) => {
    assertAbsent(await store.get(id));
  }),
  rule('replaces the whole record', async ({ store, id }) => {
    await store.set(id, recordOf(id), MINUTE);
    await store.set(id, tombstoneOf(recordOf(id)), MINUTE);
    assertRecord(await store.get(id), tombstoneOf(recordOf(id)));
  }),
  rule('has nothing under an id that was deleted', async ({ store, id }) => {
    await store.set(id, recordOf(id), MINUTE);
    await store.delete(id);
    assertAbsent(await store.get(id));
  }),
  rule('deletes what is not there without an error', async ({ store, id }) => {
    await store.delete(id);
    assertAbsent(await store.get(id));
  }),
  rule('shows what one instance has stored to another', async ({ store, other, id }) => {
    await store.set(id, recordOf(id), MINUTE);
    assertRecord(await other.get(id), recordOf(id));
  }),
  rule('does not mix sessions that are stored at once', async ({ store }) => {
    const ids = Array.from({ length: RIVALS }, newId);
    await Promise.all(ids.map(async (id) => store.set(id, recordOf(id), MINUTE)));
    const found = await Promise.all(ids.map(async (id) => store.get(id)));
    for (const [index, id] of ids.entries()) assertRecord(found[index], recordOf(id));
  }),
  rule('forgets a record when its ttl, in milliseconds, is over', async (given) => {
    const { store, id } = given;
    await store.set(id, recordOf(id), 50);
    await untilAbsent(given, id);
  }),
  rule('keeps a record for its ttl, be it thirty days', async (given) => {
    const { store, id } = given;
    await store.set(id, recordOf(id), THIRTY_DAYS);
    await untilExpired(given);
    assertRecord(await store.get(id), recordOf(id));
  }),
  rule('counts the ttl from the last time a record was stored', async (given) => {
    const { store, id } = given;
    await store.set(id, recordOf(id), 500);
    await store.set(id, recordOf(id), MINUTE);
    await untilExpired(given, 500);
    assertRecord(await store.get(id), recordOf(id));
  }),
  rule('lets a record live longer when it is touched', async (given) => {
    const { store, id } = given;
    if (!store.touch) return;
    await store.set(id, recordOf(id), 500);
    await store.touch(id, MINUTE);
    await untilExpired(given, 500);
    assertRecord(await store.get(id), recordOf(id));
  }),
  rule('does not create a record when a missing one is touched', async ({ store, id }) => {
    await store.touch?.(id, MINUTE);
    assertAbsent(await store.get(id));
  }),
];
