import assert from 'node:assert/strict';
import { BACKEND_URL, tombstoneOf, VERSION, type SessionRecord } from '../store/record.ts';
import type { SessionStore } from '../store/session-store.ts';
import {
  assertAbsent,
  assertRecord,
  MINUTE,
  newId,
  recordOf,
  rule,
  RIVALS,
  until,
  untilAbsent,
  type Given,
  type Rule,
} from './kit.ts';

/** What level `atomic` has beyond `basic`. */
export const ATOMIC: readonly Rule[] = [
  rule('has the verbs create, replace and getWithExpiry', async ({ store }) => {
    assertAtomic(store);
  }),
  rule('creates a record only where there is none', async ({ store, id }) => {
    assertAtomic(store);
    assert.equal(await store.create(id, recordOf(id, 'http://first'), MINUTE), true);
    assert.equal(await store.create(id, recordOf(id, 'http://second'), MINUTE), false);
    assertRecord(await store.get(id), recordOf(id, 'http://first'));
  }),
  rule('creates a record once when many try at the same time', async ({ store, other, id }) => {
    const origins = Array.from({ length: RIVALS }, (_, n) => `http://backend-${n}`);
    const won = await Promise.all(
      origins.map(async (origin, n) => {
        const one = n % 2 === 0 ? store : other;
        assertAtomic(one);
        return one.create(id, recordOf(id, origin), MINUTE);
      }),
    );
    assert.equal(won.filter(Boolean).length, 1);
    assertRecord(await store.get(id), recordOf(id, origins[won.indexOf(true)]));
  }),
  rule('keeps a created record for its ttl and no longer', async (given) => {
    const { store, id } = given;
    assertAtomic(store);
    await store.create(id, recordOf(id), 50);
    await untilAbsent(given, id);
    assert.equal(await store.create(id, recordOf(id), MINUTE), true);
  }),
  rule('replaces a record only if its version is the expected one', async ({ store, id }) => {
    assertAtomic(store);
    await store.set(id, versionOf(id, 3), MINUTE);
    assert.equal(await store.replace(id, versionOf(id, 5), MINUTE, 2), false);
    assert.equal(await store.replace(id, versionOf(id, 5), MINUTE, 4), false);
    assertRecord(await store.get(id), versionOf(id, 3));
    assert.equal(await store.replace(id, versionOf(id, 4), MINUTE, 3), true);
    assertRecord(await store.get(id), versionOf(id, 4));
  }),
  rule('replaces nothing where there is nothing', async ({ store, id }) => {
    assertAtomic(store);
    assert.equal(await store.replace(id, versionOf(id, 2), MINUTE, 1), false);
    assertAbsent(await store.get(id));
  }),
  rule('replaces a record once when many try at the same time', async ({ store, other, id }) => {
    await store.set(id, recordOf(id), MINUTE);
    const origins = Array.from({ length: RIVALS }, (_, n) => `http://backend-${n}`);
    const won = await Promise.all(
      origins.map(async (origin, n) => {
        const one = n % 2 === 0 ? store : other;
        assertAtomic(one);
        return one.replace(id, { ...recordOf(id, origin), [VERSION]: 2 }, MINUTE, 1);
      }),
    );
    assert.equal(won.filter(Boolean).length, 1);
    const winner = { ...recordOf(id, origins[won.indexOf(true)]), [VERSION]: 2 };
    assertRecord(await store.get(id), winner);
  }),
  rule('gives a replaced record its new ttl', async (given) => {
    const { store, id } = given;
    assertAtomic(store);
    await store.set(id, recordOf(id), MINUTE);
    await store.replace(id, versionOf(id, 2), 50, 1);
    await untilAbsent(given, id);
  }),
  rule('tells the time that a record still has', async ({ store, id }) => {
    assertAtomic(store);
    assertAbsent(await store.getWithExpiry(id));
    const storedAt = performance.now();
    await store.set(id, recordOf(id), MINUTE);
    assertRecord((await store.getWithExpiry(id))?.record, recordOf(id));
    await assertRemaining(store, id, MINUTE, storedAt);
    await store.touch?.(id, 2 * MINUTE);
    if (store.touch) await assertRemaining(store, id, 2 * MINUTE, storedAt);
  }),
  rule('tells an instance of the sessions that another one has ended', async (given) => {
    const { store, other, id, deadline } = given;
    if (!store.subscribe) return;
    assertAtomic(other);
    const moved = newId();
    await store.set(id, recordOf(id), MINUTE);
    await store.set(moved, recordOf(moved), MINUTE);
    const heard = await listen(given);
    try {
      await other.replace(moved, versionOf(moved, 2), MINUTE, 1);
      await other.replace(id, tombstoneOf(recordOf(id)), MINUTE, 1);
      await until(() => heard.ids.includes(id), deadline, 'an ending was not heard');
      assert.equal(
        heard.ids.includes(moved),
        false,
        'a replaced record was taken for an ended one',
      );
    } finally {
      await heard.stop();
    }
  }),
];

type AtomicStore = SessionStore &
  Required<Pick<SessionStore, 'create' | 'replace' | 'getWithExpiry'>>;

function versionOf(id: string, version: number): SessionRecord {
  return { ...recordOf(id), [BACKEND_URL]: `http://backend-${version}`, [VERSION]: version };
}

function assertAtomic(store: SessionStore): asserts store is AtomicStore {
  for (const verb of ['create', 'replace', 'getWithExpiry'] as const) {
    assert.equal(typeof store[verb], 'function', `an atomic store has "${verb}"`);
  }
}

async function assertRemaining(
  store: AtomicStore,
  id: string,
  ttl: number,
  since: number,
): Promise<void> {
  const { expiresIn } = (await store.getWithExpiry(id)) ?? {};
  assert.ok(expiresIn !== undefined && expiresIn <= ttl, `${expiresIn} ms of ${ttl} ms remain`);
  // A store may count whole seconds.
  const least = ttl - (performance.now() - since) - 1000;
  assert.ok(expiresIn >= least, `${expiresIn} ms of ${ttl} ms remain, less than ${least}`);
}

async function listen({
  store,
  deadline,
}: Given): Promise<{ readonly ids: string[]; stop(): Promise<void> }> {
  const ids: string[] = [];
  let listening = false;
  const stop = await store.subscribe?.({
    ended: (id) => void ids.push(id),
    interrupted: () => {},
    resumed: () => {
      listening = true;
    },
  });
  try {
    await until(() => listening, deadline, 'a subscriber was not told "resumed"');
  } catch (error) {
    await stop?.();
    throw error;
  }
  return { ids, stop: async () => stop?.() };
}
