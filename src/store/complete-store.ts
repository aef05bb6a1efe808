import { isThenable } from './deadline.ts';
import { readNote, readRecord, VERSION, type SessionRecord } from './record.ts';
import type { Awaitable, SessionStore } from './session-store.ts';

/** What was found under a key. */
export interface Found {
  readonly record: unknown;
  /** Milliseconds until the store drops it; `undefined` if the store cannot tell. */
  readonly expiresIn: number | undefined;
}

/** A store with all verbs. */
export interface CompleteStore {
  /** It tells the remaining time, so that an expired session can be told from a never issued one. */
  readonly tellsExpiry: boolean;
  read(key: string): Awaitable<Found | undefined>;
  create(key: string, record: SessionRecord, ttl: number): Promise<boolean>;
  replace(key: string, record: SessionRecord, ttl: number, version: number): Promise<boolean>;
  touch(key: string, ttl: number): Promise<void>;
}

/**
 * Makes up for the verbs that a store does not have. What takes two steps here is not atomic: between them
 * another gateway may write (docs/stores.md says what comes of it).
 */
export function completed(store: SessionStore): CompleteStore {
  function read(key: string): Awaitable<Found | undefined> {
    const found: Awaitable<unknown> = store.getWithExpiry
      ? store.getWithExpiry(key)
      : store.get(key);
    return isThenable(found) ? Promise.resolve(found).then(toFound) : toFound(found);
  }

  function toFound(found: unknown): Found | undefined {
    if (found === undefined || found === null) return undefined;
    if (!store.getWithExpiry) return { record: found, expiresIn: undefined };
    const { record, expiresIn } = found as Found;
    if (typeof expiresIn === 'number' && !Number.isNaN(expiresIn)) return { record, expiresIn };
    throw new TypeError(
      'getWithExpiry must answer { record, expiresIn }, the time in milliseconds',
    );
  }

  /** A record that can be read; another one may be that of a newer version of this package and is left alone. */
  function liveRecord(found: Found | undefined, key: string): SessionRecord | undefined {
    const reading = found && readRecord(found.record, key);
    return reading?.kind === 'live' ? reading.record : undefined;
  }

  /** What lies beside a record lives as long. */
  function note(found: Found | undefined, key: string): SessionRecord | undefined {
    const isNote = found && readNote(found.record, key) !== undefined;
    return isNote ? (found.record as SessionRecord) : undefined;
  }

  return {
    tellsExpiry: store.getWithExpiry !== undefined,
    read,
    async create(key, record, ttl) {
      if (store.create) return store.create(key, record, ttl);
      if ((await read(key)) !== undefined) return false;
      await store.set(key, record, ttl);
      return true;
    },
    async replace(key, record, ttl, version) {
      if (store.replace) return store.replace(key, record, ttl, version);
      if (liveRecord(await read(key), key)?.[VERSION] !== version) return false;
      await store.set(key, record, ttl);
      return true;
    },
    async touch(key, ttl) {
      if (store.touch) {
        await store.touch(key, ttl);
        return;
      }
      const found = await read(key);
      const record = liveRecord(found, key) ?? note(found, key);
      if (!record) return;
      // Not over what has become of it meanwhile: its end, for one.
      if (store.replace) await store.replace(key, record, ttl, record[VERSION]);
      else await store.set(key, record, ttl);
    },
  };
}
