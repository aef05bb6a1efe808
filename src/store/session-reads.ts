import type { Found } from './complete-store.ts';
import type { KnownSessions } from './known-sessions.ts';
import type { Asked, CacheEntry, LocalCache, Lookup } from './local-cache.ts';
import { IDLE } from './record.ts';
import type { Awaitable } from './session-store.ts';
import type { SessionTimes } from './session-times.ts';
import type { StoreAccess } from './store-access.ts';

export interface ReadsOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly cache: LocalCache | undefined;
  /** Told when the record of a live session is refreshed. */
  readonly beside?: { readonly refreshed: (key: string) => void };
}

/** How long after a record could not be refreshed it is tried again (ms). */
const RETRY = 1000;
const NO_CACHE = Object.freeze({ hits: 0, misses: 0 });

export const UNAVAILABLE: { readonly kind: 'unavailable' } = Object.freeze({ kind: 'unavailable' });

/**
 * What is known of sessions, and what the store says of the others. Those that are used are kept alive. What is known
 * at once is returned at once, without a promise.
 */
export class SessionReads {
  readonly #access: StoreAccess;
  readonly #known: KnownSessions;
  readonly #times: SessionTimes;
  readonly #options: ReadsOptions;
  #hits = 0;
  #misses = 0;

  constructor(
    access: StoreAccess,
    known: KnownSessions,
    times: SessionTimes,
    options: ReadsOptions,
  ) {
    this.#access = access;
    this.#known = known;
    this.#times = times;
    this.#options = options;
  }

  /** How often it was known at once what was looked for, and how often the store was asked; without a cache never. */
  get lookups(): { readonly hits: number; readonly misses: number } {
    return this.#options.cache ? { hits: this.#hits, misses: this.#misses } : NO_CACHE;
  }

  /** What is known of a session; `isUse`: whoever asks uses it, so that it lives on. */
  lookup(key: string, isUse = true): Awaitable<Lookup> {
    const entry = this.#known.cache.get(key);
    if (!entry) {
      this.#misses += 1;
      return this.read(key, { isUse });
    }
    const now = this.#options.now();
    if (now >= entry.checkAt || now >= entry.liveUntil) {
      this.#misses += 1;
      return this.#refresh(key, entry, { now, isUse });
    }
    this.#hits += 1;
    if (isUse && now >= entry.touchAt) this.#touch(key, entry, now);
    return entry.known;
  }

  /** The session is in use. */
  used(key: string, isRetry = false): void {
    const entry = this.#known.cache.get(key);
    const now = this.#options.now();
    if (entry && now >= entry.touchAt) this.#touch(key, entry, now, isRetry);
  }

  /** Asks anew, once for all who want to know. While the store is down nobody waits for it. */
  #refresh(
    key: string,
    entry: CacheEntry,
    { now, isUse }: { readonly now: number; readonly isUse: boolean },
  ): Awaitable<Lookup> {
    if (!entry.reading) {
      const reading = this.read(key, { mayBeStale: true, isUse });
      if (!(reading instanceof Promise)) return reading;
      entry.reading = reading.finally(() => {
        entry.reading = undefined;
      });
    }
    return this.#known.cache.inOutage(entry, now) ? entry.known : entry.reading;
  }

  /** Asks the store. */
  read(
    key: string,
    { mayBeStale = false, isUse = true }: { mayBeStale?: boolean; isUse?: boolean } = {},
  ): Awaitable<Lookup> {
    const asked = this.#known.ask();
    const failed = (): Lookup => this.#known.unanswered(key, asked, mayBeStale) ?? UNAVAILABLE;
    try {
      const found = this.#access.read(key);
      if (!(found instanceof Promise)) return this.take(key, found, asked, isUse);
      return found.then((late) => this.take(key, late, asked, isUse), failed);
    } catch {
      return failed();
    }
  }

  /** Takes what the store has said at last. */
  take(key: string, found: Found | undefined, asked: Asked, isUse = true): Lookup {
    const known = this.#known.read(key, found, asked);
    const entry = this.#known.cache.get(key);
    if (isUse && entry && asked.readAt >= entry.touchAt) this.#touch(key, entry, asked.readAt);
    return known;
  }

  #touch(key: string, entry: CacheEntry, now: number, isRetry = false): void {
    const idle = entry.known.kind === 'live' ? entry.known.record[IDLE] : undefined;
    entry.touchAt = this.#times.renewed(now, idle).touchAt;
    entry.touchedAt = now;
    this.#options.beside?.refreshed(key);
    this.#access.touch(key, this.#times.lifeOf(idle)).then(
      () => this.#known.renewed(key, now),
      // It was told already.
      () => this.#touchLater(key, now, isRetry),
    );
  }

  /** With the next request after a while, and once also if none comes. */
  #touchLater(key: string, now: number, isRetry: boolean): void {
    const entry = this.#known.cache.get(key);
    if (entry) entry.touchAt = Math.min(entry.touchAt, now + RETRY);
    if (entry && !isRetry) setTimeout(() => this.used(key, true), RETRY).unref();
  }
}
