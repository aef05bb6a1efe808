import type { Found } from './complete-store.ts';
import type { EndReason } from './end-reason.ts';
import { LocalCache, type Asked, type CacheEntry, type Known } from './local-cache.ts';
import { IDLE, isUnchangeable, PRINCIPAL, readRecord, type SessionRecord } from './record.ts';
import type { SessionTimes } from './session-times.ts';

export interface KnownSessionsOptions {
  readonly cache: LocalCache | undefined;
  readonly times: SessionTimes;
  /** How long an ended session is remembered in ms. */
  readonly endedTtl: number;
  /** Whether sessions are bound to principals. */
  readonly bound?: boolean | undefined;
  readonly now: () => number;
  /** Told once of each session that was live, as far as this process knows, and is over. */
  readonly onEnded: (key: string, reason: EndReason) => void;
  /** Told of each record that cannot be read. */
  readonly onUnusable: () => void;
}

export const ENDED: Known = Object.freeze({ kind: 'ended' });
const UNKNOWN: { readonly kind: 'unknown' } = Object.freeze({ kind: 'unknown' });
const NEVER = Object.freeze({ liveUntil: Infinity, touchAt: Infinity } as const);

/** What this process knows of the sessions it has used: the store's answers and the endings it has heard of. */
export class KnownSessions {
  readonly cache: LocalCache;
  readonly #options: KnownSessionsOptions;
  #tickets = 0;

  constructor(options: KnownSessionsOptions) {
    this.#options = options;
    this.cache = options.cache ?? LocalCache.forEndings();
  }

  /** To be called before the store is asked. */
  ask(): Asked {
    this.#tickets += 1;
    return { ticket: this.#tickets, readAt: this.#options.now() };
  }

  created(key: string, record: SessionRecord, asked: Asked): void {
    const times = this.#options.times.opened(asked.readAt, record[IDLE]);
    this.cache.set(key, { known: { kind: 'live', record }, ...asked, ...times });
  }

  /** What the store's answer means. */
  read(key: string, found: Found | undefined, asked: Asked): Known | typeof UNKNOWN {
    const before = this.cache.get(key);
    // Something newer was heard or read while the store was answering.
    if (before && before.ticket > asked.ticket && !isUnasked(before)) return before.known;
    const isFinal = before !== undefined && asked.readAt < (before.finalUntil ?? -Infinity);
    if (found === undefined) {
      if (isFinal && !isUnasked(before)) return before.known;
      this.cache.delete(key);
      return UNKNOWN;
    }
    if (before?.source !== undefined && before.source === found.record) {
      return this.#confirmed(key, before, found.expiresIn, asked);
    }
    const reading = readRecord(found.record, key);
    if (reading.kind === 'unusable') {
      this.cache.delete(key);
      this.#options.onUnusable();
      return ENDED;
    }
    if (reading.kind === 'ended') {
      return this.#bury(key, asked, found.expiresIn ?? this.#options.endedTtl, before, reading);
    }
    // What was heard to be over stays so, whatever an old copy of the record says.
    if (isFinal) return this.#bury(key, asked, this.#options.endedTtl, before, endOf(reading));
    const live = before?.known.kind === 'live' ? before : undefined;
    const times = this.#options.times.read(
      asked.readAt,
      found.expiresIn,
      live,
      reading.record[IDLE],
    );
    if (!times) return this.#expired(key, asked, reading, live !== undefined);
    const source = isUnchangeable(found.record) ? found.record : undefined;
    const entry = this.cache.set(key, { known: reading, source, ...asked, ...times });
    // What is read may be of before it was refreshed.
    if (before && before.touchedAt >= asked.readAt) entry.touchAt = before.touchAt;
    entry.touchedAt = before?.touchedAt ?? -Infinity;
    return reading;
  }

  /** The record is the one that was read before. */
  #confirmed(key: string, entry: CacheEntry, expiresIn: number | undefined, asked: Asked): Known {
    const { known } = entry;
    const idle = known.kind === 'live' ? known.record[IDLE] : undefined;
    const times = this.#options.times.read(asked.readAt, expiresIn, entry, idle);
    if (!times) return this.#expired(key, asked, known, true);
    this.cache.confirm(entry, asked, times);
    return known;
  }

  #expired(key: string, asked: Asked, was: Known, wasLive: boolean): Known {
    const known = endOf(was);
    // Not final: it may have been refreshed by another gateway at that moment.
    this.cache.set(key, { known, ...asked, ...NEVER });
    if (wasLive) this.#options.onEnded(key, 'expired');
    return known;
  }

  /** What to go by where the store has not answered, if there is anything; `mayBeStale`: also what was known before. */
  unanswered(key: string, asked: Asked, mayBeStale: boolean): Known | undefined {
    const entry = this.cache.get(key);
    if (!entry || isUnasked(entry)) return undefined;
    const newer = entry.ticket > asked.ticket;
    const served = newer || (mayBeStale && this.cache.mayServe(entry, this.#options.now()));
    return served ? entry.known : undefined;
  }

  /** The session is over, whether or not the store could be told; `record`: its own, where that is known. */
  ended(key: string, reason: EndReason, record?: SessionRecord): void {
    const before = this.cache.get(key);
    const known = record ? endOf({ kind: 'live', record }) : endOf(before?.known ?? ENDED);
    this.#bury(key, this.ask(), this.#options.endedTtl, before, known, reason);
    // Its streams may be open although it is in the cache no more.
    if (before === undefined) this.#options.onEnded(key, reason);
    // Whose it was is in its tombstone.
    const entry = this.#options.bound && !record && !before ? this.cache.get(key) : undefined;
    if (entry) entry.checkAt = -Infinity;
  }

  /** The record was replaced: the store has to be asked, and an answer that is on its way is old. */
  changed(key: string): void {
    const entry = this.cache.get(key);
    if (entry?.known.kind !== 'live') return;
    const { known, readAt, liveUntil, touchAt } = entry;
    const { ticket } = this.ask();
    this.cache.set(key, { known, ticket, readAt, liveUntil, touchAt }).checkAt = -Infinity;
  }

  /** The store keeps the record anew, since `now`. */
  renewed(key: string, now: number): void {
    const entry = this.cache.get(key);
    if (entry?.known.kind !== 'live') return;
    const { liveUntil } = this.#options.times.renewed(now, entry.known.record[IDLE]);
    entry.liveUntil = Math.max(entry.liveUntil, liveUntil);
  }

  /** Endings may be missed from now on. */
  interrupted(): void {
    this.cache.interrupted(this.#options.now());
  }

  /** Endings are heard again. */
  resumed(): void {
    this.cache.resumed(this.ask().ticket);
  }

  /** Endings are heard no more, and requests may come for a while yet. */
  close(): void {
    this.interrupted();
    this.cache.clear();
  }

  #bury(
    key: string,
    asked: Asked,
    keptFor: number,
    before: CacheEntry | undefined,
    known: Known,
    // What the store tells of was done by somebody else.
    reason: EndReason = 'elsewhere',
  ): Known {
    const finalUntil = asked.readAt + keptFor;
    this.cache.set(key, { known, ...asked, finalUntil, ...NEVER });
    if (before?.known.kind === 'live') this.#options.onEnded(key, reason);
    return known;
  }
}

/** It was heard that the session is over, and not yet whose it was. */
function isUnasked({ finalUntil, checkAt }: CacheEntry): boolean {
  return finalUntil !== undefined && checkAt === -Infinity;
}

/** What is known of a session once it is over. */
function endOf(known: Known): Known {
  if (known.kind === 'ended') return known;
  const principal = known.record[PRINCIPAL];
  return principal === undefined ? ENDED : { kind: 'ended', principal };
}
