import { LRUCache } from 'lru-cache';
import type { SessionRecord } from './record.ts';

export interface CacheOptions {
  /** Most sessions in the cache. @default 10_000 */
  readonly max?: number;
  /** Milliseconds after which the store is asked again. @default 30_000 */
  readonly maxAge?: number;
  /** Milliseconds for which a cached session is served while the store is down. @default 600_000 */
  readonly maxStale?: number;
}

/** What is known of a session that was issued. */
export type Known =
  | { readonly kind: 'live'; readonly record: SessionRecord }
  | { readonly kind: 'ended' };

/** What is known of a key. */
export type Lookup = Known | { readonly kind: 'unknown' } | { readonly kind: 'unavailable' };

/** What is known, and since when. */
export interface News {
  readonly known: Known;
  /** Its place among all reads and endings of this process: of two answers the one asked for later is right. */
  readonly ticket: number;
  /** When the store was asked. */
  readonly readAt: number;
  /** The session has ended for good: there is nothing to ask until then. */
  readonly finalUntil?: number;
  /** When the session expires unless it is used, as far as this process knows. */
  readonly liveUntil: number;
  /** When its time in the store has to be refreshed. */
  readonly touchAt: number;
}

export interface CacheEntry extends News {
  /** When the store has to be asked again. */
  checkAt: number;
  liveUntil: number;
  touchAt: number;
  /** When the store has failed to tell, last. */
  failedAt: number;
  /** The store is being asked. */
  reading: Promise<Lookup> | undefined;
}

/** Without word of endings, and while the store is down, a cached record is trusted for this long (ms). */
const UNHEARD_MAX_AGE = 1000;

/** The sessions this process has used last, in front of a store that costs a round trip. */
export class LocalCache {
  readonly #entries: LRUCache<string, CacheEntry>;
  readonly #options: Required<CacheOptions>;
  /** The first ticket after which no ending was missed. */
  #heardSince = Infinity;

  constructor(options: Required<CacheOptions>) {
    this.#options = options;
    this.#entries = new LRUCache({ max: options.max });
  }

  /** What stays when there is to be no cache: endings, and when a session was refreshed. */
  static forEndings(): LocalCache {
    return new LocalCache({ max: 10_000, maxAge: 0, maxStale: 0 });
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries.get(key);
  }

  set(key: string, news: News): CacheEntry {
    const { maxAge } = this.#options;
    const heard = news.ticket > this.#heardSince;
    const checkAt =
      news.finalUntil ?? news.readAt + (heard ? maxAge : Math.min(maxAge, UNHEARD_MAX_AGE));
    const entry: CacheEntry = { ...news, checkAt, failedAt: -Infinity, reading: undefined };
    this.#entries.set(key, entry);
    return entry;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Endings may be missed from now on. */
  interrupted(now: number): void {
    this.#heardSince = Infinity;
    for (const entry of this.#entries.values()) {
      if (entry.finalUntil === undefined)
        entry.checkAt = Math.min(entry.checkAt, now + UNHEARD_MAX_AGE);
    }
  }

  /** Endings are heard again; those that were missed are in the store, for reads that begin after `ticket`. */
  resumed(ticket: number): void {
    this.#heardSince = ticket;
    for (const entry of this.#entries.values()) {
      if (entry.finalUntil === undefined) entry.checkAt = -Infinity;
    }
  }

  /** Whether the entry may be served although the store does not answer; if so, for a moment without asking. */
  mayServe(entry: CacheEntry, now: number): boolean {
    if (now >= entry.readAt + this.#options.maxStale) return false;
    entry.failedAt = now;
    entry.checkAt = now + UNHEARD_MAX_AGE;
    entry.liveUntil = Math.max(entry.liveUntil, entry.checkAt);
    return true;
  }

  /** Whether the store has failed just now: the entry is served at once, and the store asked beside. */
  inOutage(entry: CacheEntry, now: number): boolean {
    return (
      now < entry.failedAt + 2 * UNHEARD_MAX_AGE && now < entry.readAt + this.#options.maxStale
    );
  }
}
