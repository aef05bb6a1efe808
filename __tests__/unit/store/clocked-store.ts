import { setImmediate as turn } from 'node:timers/promises';
import { LocalCache, type CacheOptions } from '../../../src/store/local-cache.ts';
import { newRecord, type SessionRecord } from '../../../src/store/record.ts';
import { SessionDirectory } from '../../../src/store/session-directory.ts';
import type {
  EndedListener,
  SessionStore,
  StoredRecord,
} from '../../../src/store/session-store.ts';

export type Verb = 'get' | 'getWithExpiry' | 'set' | 'delete' | 'create' | 'replace' | 'touch';
export type Fault = 'throw' | 'reject' | 'hang';

/** A clock that only a test moves (ms). */
export class Clock {
  time = 1_000_000;
  readonly now = (): number => this.time;
  advance(ms: number): void {
    this.time += ms;
  }
}

/** A remote store on a test's clock: it counts what it is asked, fails on demand, and may answer late. */
export class ClockedStore implements SessionStore {
  readonly kept = new Map<string, { record: unknown; until: number }>();
  readonly calls: Verb[] = [];
  readonly listeners = new Set<EndedListener>();
  fault: Fault | Partial<Record<Verb, Fault>> | undefined;
  closed = 0;
  #gate: Promise<void> | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(id: string): Promise<unknown> {
    return this.#answer('get', () => this.#present(id)?.record);
  }

  getWithExpiry?(id: string): Promise<StoredRecord | undefined> {
    return this.#answer('getWithExpiry', () => {
      const found = this.#present(id);
      return found && { record: found.record, expiresIn: found.until - this.#clock.time };
    });
  }

  set(id: string, record: unknown, ttl: number): Promise<void> {
    return this.#answer('set', () => this.put(id, record, ttl));
  }

  delete(id: string): Promise<void> {
    return this.#answer('delete', () => void this.kept.delete(id));
  }

  create?(id: string, record: SessionRecord, ttl: number): Promise<boolean> {
    return this.#answer('create', () => {
      if (this.#present(id)) return false;
      this.put(id, record, ttl);
      return true;
    });
  }

  replace?(id: string, record: SessionRecord, ttl: number, version: number): Promise<boolean> {
    return this.#answer('replace', () => {
      const present = this.#present(id)?.record as { version?: unknown } | undefined;
      if (present?.version !== version) return false;
      this.put(id, record, ttl);
      return true;
    });
  }

  touch?(id: string, ttl: number): Promise<void> {
    return this.#answer('touch', () => {
      const found = this.#present(id);
      if (found) found.until = this.#clock.time + ttl;
    });
  }

  subscribe?(listener: EndedListener): () => void {
    this.listeners.add(listener);
    listener.resumed();
    return () => void this.listeners.delete(listener);
  }

  close(): void {
    this.closed += 1;
  }

  put(id: string, record: unknown, ttl: number): void {
    this.kept.set(id, { record: structuredClone(record), until: this.#clock.time + ttl });
    if (typeof record !== 'object' || record === null || !('ended' in record)) return;
    this.tell('ended', id);
  }

  tell(event: 'ended' | 'changed', id: string): void;
  tell(event: 'interrupted' | 'resumed'): void;
  tell(event: keyof EndedListener, id = ''): void {
    for (const listener of this.listeners) listener[event]?.(id);
  }

  /** What was asked since the last time. */
  taken(): Verb[] {
    return this.calls.splice(0);
  }

  /** Answers what is asked from now on when the returned function is called: with what was true when it was asked. */
  holdAnswers(): () => void {
    let release = (): void => {};
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      this.#gate = undefined;
      release();
    };
  }

  #present(id: string): { record: unknown; until: number } | undefined {
    const found = this.kept.get(id);
    return found && found.until > this.#clock.time ? found : undefined;
  }

  #answer<T>(verb: Verb, run: () => T): Promise<T> {
    this.calls.push(verb);
    const fault = typeof this.fault === 'object' ? this.fault[verb] : this.fault;
    if (fault === 'throw') throw new Error('the store is out of order');
    if (fault === 'reject') return Promise.reject(new Error('the store is out of order'));
    if (fault === 'hang') return new Promise(() => {});
    const answer = run();
    return (this.#gate ?? Promise.resolve()).then(() => answer);
  }
}

export interface SetUp {
  /** Verbs that the store does not have. */
  readonly without?: readonly (keyof ClockedStore)[];
  /** `false`: no cache. */
  readonly cache?: CacheOptions | false;
  readonly storeTimeout?: number;
  readonly ttl?: number;
  readonly endedTtl?: number;
  /** Sessions are bound to principals. */
  readonly bound?: boolean;
}

export interface Bench {
  readonly clock: Clock;
  readonly store: ClockedStore;
  readonly directory: SessionDirectory;
  readonly failures: { readonly during: string; readonly error: unknown }[];
  /** Keys of the sessions it has told of as ended. */
  readonly ended: string[];
  /** Why each of them has ended. */
  readonly reasons: string[];
  /** A second gateway on the same store. */
  readonly another: () => SessionDirectory;
}

export const TTL = 100_000;
export const ENDED_TTL = 1_000_000;
export const KEY = 'a'.repeat(64);
export const BACKEND = 'http://backend-1';

/** A directory in front of a store, both on a clock that stands still. */
export function bench(setUp: SetUp = {}): Bench {
  const clock = new Clock();
  const store = new ClockedStore(clock);
  for (const verb of setUp.without ?? []) {
    Object.defineProperty(store, verb, { value: undefined });
  }
  const failures: { during: string; error: unknown }[] = [];
  const ended: string[] = [];
  const reasons: string[] = [];
  return {
    clock,
    store,
    directory: directoryOf(store, clock, setUp, failures, ended, reasons),
    failures,
    ended,
    reasons,
    another: () => directoryOf(store, clock, setUp, [], []),
  };
}

/** A directory in front of any store. */
export function directoryOf(
  store: SessionStore,
  clock: Clock,
  setUp: SetUp = {},
  failures: { during: string; error: unknown }[] = [],
  ended: string[] = [],
  reasons: string[] = [],
): SessionDirectory {
  const cache =
    setUp.cache === false
      ? undefined
      : new LocalCache({ max: 1000, maxAge: 30_000, maxStale: 60_000, ...setUp.cache });
  return new SessionDirectory(
    store,
    {
      ttl: setUp.ttl ?? TTL,
      endedTtl: setUp.endedTtl ?? ENDED_TTL,
      storeTimeout: setUp.storeTimeout ?? 1000,
      bound: setUp.bound ?? false,
      cache,
      now: clock.now,
      onFailure: (error, during) => void failures.push({ error, during }),
    },
    (key, reason) => {
      ended.push(key);
      reasons.push(reason);
    },
  );
}

export function recordOf(key = KEY, backendUrl: string = BACKEND): SessionRecord {
  return newRecord({ key, nonce: `nonce of ${backendUrl}`, backendUrl, path: '/mcp' });
}

/** A directory whose session `KEY` is stored, was used once, and is in the cache. */
export async function benchWithSession(setUp: SetUp = {}): Promise<Bench> {
  const made = bench(setUp);
  await made.directory.create(KEY, recordOf());
  await made.directory.lookup(KEY);
  await settled();
  made.store.taken();
  return made;
}

/** Lets everything happen that waits for nothing else. */
export async function settled(): Promise<void> {
  await turn();
  await turn();
}
