import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { EndedListener, SessionRecord, SessionStore, StoredRecord } from '../../src/index.ts';

export type Verb = 'get' | 'getWithExpiry' | 'set' | 'delete' | 'create' | 'replace' | 'touch';

/** How a store fails: it throws, rejects, or never answers. */
export type Fault = 'throw' | 'reject' | 'hang';

export interface ScriptedStoreOptions {
  /** Optional verbs that this store does not have. */
  readonly without?: readonly (keyof SessionStore)[];
}

interface Kept {
  record: unknown;
  expiresIn: number;
}

/** A store in memory that costs a round trip, like a remote one; its time stands still, and a test can break it. */
export interface ScriptedStore extends SessionStore {
  /** Every call, in order. */
  readonly calls: { readonly verb: Verb; readonly key: string }[];
  /** What it holds, by key (see `keyOf`). */
  readonly kept: Map<string, Kept>;
  /** Fails every verb from now on, or the one given. */
  fault: Fault | Partial<Record<Verb, Fault>> | undefined;
  /** What it rejects with. */
  error: unknown;
  /** The call with this number (from 0) of a verb, as soon as it is made. */
  called(verb: Verb, number?: number): Promise<void>;
  /** The verbs that were called, in order. */
  verbs(): Verb[];
  /** The record of a session, as it is stored. */
  recordOf(sessionId: string): Record<string, unknown> | undefined;
  /** Puts something in place of a session's record. */
  put(sessionId: string, record: unknown, expiresIn?: number): void;
}

/** The key under which a session is stored. */
export function keyOf(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('hex');
}

export function scriptedStore(options: ScriptedStoreOptions = {}): ScriptedStore {
  const kept = new Map<string, Kept>();
  const calls: ScriptedStore['calls'] = [];
  const listeners = new Set<EndedListener>();
  const changed = new EventEmitter();

  /** Counts the call and fails it if it is to; otherwise the answer comes in a later turn. */
  function verb<Args extends unknown[], Result>(
    name: Verb,
    run: (key: string, ...args: Args) => Result,
  ) {
    return (key: string, ...args: Args): Promise<Result> => {
      calls.push({ verb: name, key });
      changed.emit('call');
      const fault = typeof store.fault === 'object' ? store.fault[name] : store.fault;
      if (fault === 'throw') throw store.error;
      if (fault === 'reject') return Promise.reject(store.error);
      if (fault === 'hang') return new Promise(() => {});
      return new Promise((resolve) => setImmediate(() => resolve(run(key, ...args))));
    };
  }

  function put(key: string, record: unknown, expiresIn: number): void {
    kept.set(key, { record: structuredClone(record), expiresIn });
    if (typeof record !== 'object' || record === null || !('ended' in record)) return;
    for (const listener of listeners) listener.ended(key);
  }

  const store: ScriptedStore = {
    calls,
    kept,
    fault: undefined,
    error: new Error('the store is out of order'),
    get: verb('get', (key) => structuredClone(kept.get(key)?.record)),
    getWithExpiry: verb('getWithExpiry', (key): StoredRecord | undefined => {
      const found = kept.get(key);
      return found && { record: structuredClone(found.record), expiresIn: found.expiresIn };
    }),
    set: verb('set', (key, record: SessionRecord, ttl: number) => put(key, record, ttl)),
    delete: verb('delete', (key) => void kept.delete(key)),
    create: verb('create', (key, record: SessionRecord, ttl: number) => {
      if (kept.has(key)) return false;
      put(key, record, ttl);
      return true;
    }),
    replace: verb('replace', (key, record: SessionRecord, ttl: number, version: number) => {
      const present = kept.get(key)?.record as { version?: unknown } | undefined;
      if (present?.version !== version) return false;
      put(key, record, ttl);
      return true;
    }),
    touch: verb('touch', (key, ttl: number) => {
      const found = kept.get(key);
      if (found) found.expiresIn = ttl;
    }),
    subscribe(listener) {
      listeners.add(listener);
      listener.resumed();
      return () => void listeners.delete(listener);
    },
    async called(verb, number = 0) {
      while (calls.filter((each) => each.verb === verb).length <= number) {
        await once(changed, 'call');
      }
    },
    verbs: () => calls.map((each) => each.verb),
    recordOf(sessionId) {
      return kept.get(keyOf(sessionId))?.record as Record<string, unknown> | undefined;
    },
    put(sessionId, record, expiresIn = kept.get(keyOf(sessionId))?.expiresIn ?? 1e9) {
      kept.set(keyOf(sessionId), { record, expiresIn });
    },
  };
  for (const name of options.without ?? []) Reflect.deleteProperty(store, name);
  return store;
}
