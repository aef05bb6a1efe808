import { describe, expect, test } from '@jest/globals';
import session from 'express-session';
import type { SessionRecord, SessionStore, StoredRecord } from '../../../src/index.ts';
import { storeChecks, type MakeStore } from '../../../src/store-conformance.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { resolveStore } from '../../../src/store/resolve-store.ts';
import type { EndedListener } from '../../../src/store/session-store.ts';
import { Clock, directoryOf, KEY, recordOf } from './clocked-store.ts';

/** As Keyv has it: three verbs that return promises, a lifetime in milliseconds, and JSON inside. */
class KeyvLike {
  readonly #kept = new Map<string, { json: string; until: number }>();
  async get(key: string): Promise<unknown> {
    const found = this.#kept.get(key);
    return found && found.until > Date.now() ? JSON.parse(found.json) : undefined;
  }
  async set(key: string, value: unknown, ttl: number): Promise<boolean> {
    this.#kept.set(key, { json: JSON.stringify(value), until: Date.now() + ttl });
    return true;
  }
  async delete(key: string): Promise<boolean> {
    return this.#kept.delete(key);
  }
}

const memory = new MemoryStore();
const map = new Map<string, unknown>();
const express = new session.MemoryStore();
const keyv = new KeyvLike();

describe.each<[string, 'basic' | 'atomic', MakeStore]>([
  ['MemoryStore', 'atomic', () => memory],
  ['a Map', 'atomic', () => map],
  ['express-session’s MemoryStore', 'basic', () => express],
  ['a store like Keyv', 'basic', () => keyv],
])('%s', (_name, level, makeStore) => {
  test.each(storeChecks(level))('$name', async ({ run }) => {
    await expect(run(makeStore)).resolves.toBeUndefined();
  });
});

/** MemoryStore with one thing wrong. */
class Wrong extends MemoryStore {}

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const listeners = new Set<EndedListener>();

const MISTAKES: [mistake: string, breaks: string, Partial<SessionStore>][] = [
  [
    'loses a member',
    'gives a record back as it was stored',
    {
      get(this: Wrong, id) {
        const { opened_on: _lost, ...rest } = MemoryStore.prototype.get.call(this, id) ?? {};
        return rest;
      },
    },
  ],
  [
    'answers an empty object for what is absent',
    'has nothing under an id that was never stored',
    {
      get(this: Wrong, id) {
        return MemoryStore.prototype.get.call(this, id) ?? {};
      },
    },
  ],
  [
    'merges what it has with what it gets',
    'replaces the whole record',
    {
      set(this: Wrong, id, record, ttl) {
        const present = MemoryStore.prototype.get.call(this, id);
        MemoryStore.prototype.set.call(this, id, { ...present, ...record }, ttl);
      },
    },
  ],
  ['does not delete', 'has nothing under an id that was deleted', { delete: () => undefined }],
  [
    'fails to delete what is absent',
    'deletes what is not there without an error',
    {
      delete(this: Wrong, id) {
        if (!this.get(id)) throw new Error('not found');
      },
    },
  ],
  [
    'takes 8 digits for the whole id',
    'does not mix sessions that are stored at once',
    {
      get(this: Wrong) {
        return MemoryStore.prototype.get.call(this, 'the same');
      },
      set(this: Wrong, _id, record, ttl) {
        MemoryStore.prototype.set.call(this, 'the same', record, ttl);
      },
    },
  ],
  [
    'takes the ttl for seconds',
    'forgets a record when its ttl, in milliseconds, is over',
    {
      set(this: Wrong, id, record, ttl) {
        MemoryStore.prototype.set.call(this, id, record, ttl * 1000);
      },
    },
  ],
  [
    'keeps time in 32 bits',
    'keeps a record for its ttl, be it thirty days',
    {
      set(this: Wrong, id, record, ttl) {
        MemoryStore.prototype.set.call(this, id, record, ttl >= 2 ** 31 ? 1 : ttl);
      },
    },
  ],
  [
    'counts the ttl from the first time',
    'counts the ttl from the last time a record was stored',
    {
      set(this: Wrong, id, record, ttl) {
        const left = this.getWithExpiry(id)?.expiresIn;
        MemoryStore.prototype.set.call(this, id, record, left ?? ttl);
      },
    },
  ],
  ['ignores touch', 'lets a record live longer when it is touched', { touch: () => undefined }],
  [
    'creates by touch',
    'does not create a record when a missing one is touched',
    {
      touch(this: Wrong, id, ttl) {
        this.set(id, {} as SessionRecord, ttl);
      },
    },
  ],
  [
    'has no create',
    'has the verbs create, replace and getWithExpiry',
    { create: undefined as never },
  ],
  [
    'creates over what is there',
    'creates a record only where there is none',
    {
      create(this: Wrong, id, record, ttl) {
        this.set(id, record, ttl);
        return true;
      },
    },
  ],
  [
    'looks before it creates',
    'creates a record once when many try at the same time',
    {
      async create(this: Wrong, id, record, ttl) {
        const present = this.get(id);
        await later();
        if (!present) this.set(id, record, ttl);
        return !present;
      },
    },
  ],
  [
    'creates for ever',
    'keeps a created record for its ttl and no longer',
    {
      create(this: Wrong, id, record) {
        return MemoryStore.prototype.create.call(this, id, record, 1e9);
      },
    },
  ],
  [
    'replaces whatever is there',
    'replaces a record only if its version is the expected one',
    {
      replace(this: Wrong, id, record, ttl) {
        this.set(id, record, ttl);
        return true;
      },
    },
  ],
  [
    'replaces newer versions',
    'replaces a record only if its version is the expected one',
    {
      replace(this: Wrong, id, record, ttl, version) {
        const present = this.get(id);
        if (!present || present.version < version) return false;
        this.set(id, record, ttl);
        return true;
      },
    },
  ],
  [
    'replaces what is absent',
    'replaces nothing where there is nothing',
    {
      replace(this: Wrong, id, record, ttl, version) {
        if (!this.get(id)) this.set(id, record, ttl);
        return MemoryStore.prototype.replace.call(this, id, record, ttl, version);
      },
    },
  ],
  [
    'looks before it replaces',
    'replaces a record once when many try at the same time',
    {
      async replace(this: Wrong, id, record, ttl, version) {
        const present = this.get(id);
        await later();
        if (present?.version !== version) return false;
        this.set(id, record, ttl);
        return true;
      },
    },
  ],
  [
    'keeps the old ttl',
    'gives a replaced record its new ttl',
    {
      replace(this: Wrong, id, record, _ttl, version) {
        return MemoryStore.prototype.replace.call(this, id, record, 1e9, version);
      },
    },
  ],
  [
    'tells the time in seconds',
    'tells the time that a record still has',
    {
      getWithExpiry(this: Wrong, id): StoredRecord | undefined {
        const found = MemoryStore.prototype.getWithExpiry.call(this, id);
        return found && { ...found, expiresIn: found.expiresIn / 1000 };
      },
    },
  ],
  [
    'tells of every change',
    'tells an instance of the sessions that another one has ended',
    {
      replace(this: Wrong, id, record, ttl, version) {
        for (const listener of listeners) listener.ended(id);
        return MemoryStore.prototype.replace.call(this, id, record, ttl, version);
      },
      subscribe(listener) {
        listeners.add(listener);
        listener.resumed();
        return () => void listeners.delete(listener);
      },
    },
  ],
  [
    'tells of nothing',
    'tells an instance of the sessions that another one has ended',
    {
      subscribe(listener) {
        listener.resumed();
        return () => undefined;
      },
    },
  ],
  [
    'never says that it listens',
    'tells an instance of the sessions that another one has ended',
    {
      subscribe: () => () => undefined,
    },
  ],
];

describe('the suite notices a store that', () => {
  test.concurrent.each(MISTAKES)('%s', async (_mistake, breaks, verbs) => {
    const store = Object.assign(new Wrong(), verbs);
    const broken: string[] = [];
    const checks = storeChecks('atomic', { deadline: 800 });
    for (const { name, run } of checks.filter((check) => check.name === breaks)) {
      await run(() => store).catch(() => broken.push(name));
    }
    expect(broken).toEqual([breaks]);
  });

  test('does not show its records to another instance', async () => {
    const [check] = storeChecks('basic').filter(({ name }) => name.includes('another'));
    await expect(check?.run(() => new MemoryStore())).rejects.toThrow('there is a record');
  });

  test.each(storeChecks('atomic'))('fails altogether ($name)', async ({ run }) => {
    const fail = (): never => {
      throw new Error('the store is out of order');
    };
    const store = { get: fail, set: fail, delete: fail, touch: fail, subscribe: fail };
    await expect(run(() => store)).rejects.toThrow(/out of order|an atomic store has/);
  });
});

test('each rule has a mistake that shows it', () => {
  const shown = new Set(MISTAKES.map(([, breaks]) => breaks));
  const rest = storeChecks('atomic').filter(({ name }) => !shown.has(name));
  expect(rest.map(({ name }) => name)).toEqual(['shows what one instance has stored to another']);
});

const ENUMERATING = [
  ...['all', 'keys', 'values', 'entries', 'scan', 'scanIterator', 'forEach', 'ids', 'length'],
  ...['size', 'clear', Symbol.iterator, Symbol.asyncIterator],
];

/** The store, with every verb that lists or counts what it has out of order. */
function unlistable<T extends object>(store: T): T {
  for (const name of ENUMERATING) {
    Object.defineProperty(store, name, {
      get() {
        throw new Error(`"${String(name)}" of a store was used`);
      },
    });
  }
  return store;
}

const unlistableStores: [string, 'basic' | 'atomic', object][] = [
  ['MemoryStore', 'atomic', unlistable(new MemoryStore())],
  ['a Map', 'atomic', unlistable(new Map())],
  ['express-session’s MemoryStore', 'basic', unlistable(new session.MemoryStore())],
  ['a store like Keyv', 'basic', unlistable(new KeyvLike())],
];

describe.each(unlistableStores)('nothing lists the sessions of %s', (_name, level, given) => {
  const store = given as SessionStore;

  test.each(storeChecks(level))('$name', async ({ run }) => {
    await expect(run(() => store)).resolves.toBeUndefined();
  });

  test('a gateway opens, finds and ends them', async () => {
    const { remote, store: resolved } = resolveStore(store);
    const clock = new Clock();
    const directory = directoryOf(resolved, clock, remote ? {} : { cache: false });
    expect(await directory.create(KEY, recordOf())).toBe('created');
    clock.advance(60_000);
    expect(await directory.lookup(KEY)).toMatchObject({ kind: 'live' });
    expect(await directory.endNow(KEY, 'called')).toBe(true);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
    await directory.close();
  });
});
