import { LRUCache } from 'lru-cache';
import type { SessionRecord } from './record.ts';
import type { LiveTimes } from './session-times.ts';

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
  /** `principal`: of its record. */
  | { readonly kind: 'ended'; readonly principal?: string | undefined };

/** What is known of a key. */
export type Lookup = Known | { readonly kind: 'unknown' } | { readonly kind: 'unavailable' };

/** When something was asked for, and its place among all that was asked or heard. */
export interface Asked {
  /** Of two answers the one asked for later is right. */
  readonly ticket: number;
  /** When the store was asked. */
  readonly readAt: number;
}

/** What is known, and since when. */
export interface News extends Asked {
  readonly known: Known;
  /** The session has ended for good: there is nothing to ask until then. */
  readonly finalUntil?: number | undefined;
  /** When the session expires unless it is used, as far as this process knows. */
  readonly liveUntil: number;
  /** When its time in the store has to be refreshed. */
  readonly touchAt: number;
  /** What the store has answered, if it cannot have changed since: as long as it is the same, it says the same. */
  readonly source?: object | undefined;
}

export interface CacheEntry extends News {
  ticket: number;
  readAt: number;
  /** When the store has to be asked again. */
  checkAt: number;
  liveUntil: number;
  touchAt: number;
  /** When that was begun last. */
  touchedAt: number;
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
    // Member by member: to spread them would cost more than all else that is done here.
    const entry: CacheEntry = {
      known: news.known,
      ticket: news.ticket,
      readAt: news.readAt,
      finalUntil: news.finalUntil,
      liveUntil: news.liveUntil,
      touchAt: news.touchAt,
      source: news.source,
      checkAt: news.finalUntil ?? this.#checkAt(news),
      touchedAt: -Infinity,
      failedAt: -Infinity,
      reading: undefined,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** The store has said the same again. */
  confirm(entry: CacheEntry, { ticket, readAt }: Asked, times: LiveTimes): void {
    entry.ticket = ticket;
    entry.readAt = readAt;
    entry.liveUntil = times.liveUntil;
    entry.touchAt = times.touchAt;
    entry.checkAt = this.#checkAt(entry);
    entry.failedAt = -Infinity;
  }

  #checkAt({ ticket, readAt }: Asked): number {
    const { maxAge } = this.#options;
    const heard = ticket > this.#heardSince;
    return readAt + (heard ? maxAge : Math.min(maxAge, UNHEARD_MAX_AGE));
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
