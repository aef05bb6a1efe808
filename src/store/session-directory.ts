import { SessionRoutingError } from '../protocol/errors.ts';
import type { EndReason } from './end-reason.ts';
import { KnownSessions } from './known-sessions.ts';
import type { LocalCache, Lookup } from './local-cache.ts';
import {
  haveOneBackend,
  IDLE,
  isSameSession,
  tombstoneOf,
  VERSION,
  type SessionRecord,
} from './record.ts';
import { SessionReads, UNAVAILABLE } from './session-reads.ts';
import type { Awaitable, SessionStore } from './session-store.ts';
import { SessionTimes } from './session-times.ts';
import { StoreAccess, type StoreAccessOptions } from './store-access.ts';
import { tell } from './user-code.ts';

export type { Lookup } from './local-cache.ts';

export interface DirectoryOptions extends StoreAccessOptions {
  /** Idle lifetime of a session in ms. */
  readonly ttl: number;
  /** How long an ended session is remembered in ms. */
  readonly endedTtl: number;
  readonly cache: LocalCache | undefined;
  /** Whether sessions are bound to principals. @default false */
  readonly bound?: boolean;
  /** Told when the record of a live session is refreshed, and when it becomes a tombstone. */
  readonly beside?: {
    readonly refreshed: (key: string) => void;
    readonly ended: (key: string) => void;
  };
}

/** What became of a session that was to be stored. */
export type Creation = 'created' | 'conflict' | 'foreign';

/** `moved`: the record has changed, or was changed by another gateway meanwhile; this is the new one. */
export type EndResult =
  | { readonly kind: 'ended' }
  | { readonly kind: 'moved'; readonly record: SessionRecord }
  | { readonly kind: 'unavailable' };

/** A session that is moved this often while it is to be ended is one of a store that cannot be relied on. */
const MOST_TRIES = 10;
const ENDED_NOW = Object.freeze({ kind: 'ended' } as const);

/** The sessions as the gateway sees them: the store, and the cache in front of it. */
export class SessionDirectory {
  /** For what lies beside the records. */
  readonly access: StoreAccess;
  readonly #times: SessionTimes;
  readonly #known: KnownSessions;
  readonly #reads: SessionReads;
  readonly #options: DirectoryOptions;
  /** Why sessions are being ended that the store tells of as ended before it has answered. */
  readonly #ending = new Map<string, EndReason>();

  constructor(
    store: SessionStore,
    options: DirectoryOptions,
    onEnded: (key: string, reason: EndReason) => void,
  ) {
    this.#options = options;
    this.access = new StoreAccess(store, options);
    this.#times = new SessionTimes(options.ttl, options.endedTtl, this.access.tellsExpiry);
    this.#known = new KnownSessions({
      ...options,
      times: this.#times,
      onEnded: (key, reason) => tell(() => onEnded(key, reason)),
      onUnusable: () =>
        this.access.failed(new Error('a record that cannot be read was found'), 'decode'),
    });
    this.#reads = new SessionReads(this.access, this.#known, this.#times, options);
    this.access.subscribe({
      ended: (key) => this.#known.ended(key, this.#ending.get(key) ?? 'elsewhere'),
      interrupted: () => this.#known.interrupted(),
      resumed: () => this.#known.resumed(),
      changed: (key) => this.#known.changed(key),
    });
  }

  /** How long a session that is in use may be idle (ms). */
  get idle(): number {
    return this.#options.ttl;
  }

  /** How long the store keeps the record of a live session (ms): of one in use, and of one that is new. */
  get lives(): { readonly whole: number; readonly first: number } {
    return { whole: this.#times.life, first: this.#times.firstLife() };
  }

  /** See `SessionReads`. */
  get lookups(): { readonly hits: number; readonly misses: number } {
    return this.#reads.lookups;
  }

  /** See `SessionReads`. */
  lookup(key: string, isUse = true): Awaitable<Lookup> {
    return this.#reads.lookup(key, isUse);
  }

  /** The session is in use. */
  used(key: string): void {
    this.#reads.used(key);
  }

  /** What the store says of the session now, whatever this process knows. It is no use of it. */
  lookupAnew(key: string): Awaitable<Lookup> {
    return this.#reads.read(key, { isUse: false });
  }

  /**
   * Stores a new session. `conflict`: the id belongs, or belonged, to a session of another backend; `foreign`: to
   * one of the same backend and another principal.
   * @throws {SessionRoutingError} `store_unavailable`
   */
  async create(key: string, record: SessionRecord): Promise<Creation> {
    const asked = this.#known.ask();
    const { created, present } = await this.access.create(
      key,
      record,
      this.#times.firstLife(record[IDLE]),
    );
    if (created) {
      this.#known.created(key, record, asked);
      return 'created';
    }
    const known = this.#reads.take(key, present, asked, false);
    if (known.kind !== 'live') return 'conflict';
    if (isSameSession(known.record, record)) return 'created';
    return haveOneBackend(known.record, record) ? 'foreign' : 'conflict';
  }

  /** Ends a session on the word of its backend or of the operator, if the record is still the one given. */
  async end(key: string, record: SessionRecord, reason: EndReason): Promise<EndResult> {
    const { endedTtl } = this.#options;
    const version = record[VERSION];
    this.#ending.set(key, reason);
    try {
      const ended = await this.access.replace(key, tombstoneOf(record), endedTtl, version);
      if (ended) this.#options.beside?.ended(key);
      const present = ended ? ENDED_NOW : await this.#reads.read(key);
      if (present.kind === 'unavailable') return present;
      if (present.kind === 'live') {
        // A store that keeps the right version and does not replace it would be asked for ever.
        const moved = present.record[VERSION] !== version;
        return moved ? { kind: 'moved', record: present.record } : UNAVAILABLE;
      }
    } catch {
      return UNAVAILABLE;
    } finally {
      this.#ending.delete(key);
    }
    this.forget(key, record, reason);
    return ENDED_NOW;
  }

  /**
   * Ends whatever live session has this key; `false` if there is none.
   * @throws {SessionRoutingError} `store_unavailable`
   */
  async endNow(key: string, reason: EndReason): Promise<boolean> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const present = await this.#reads.read(key);
      if (present.kind === 'ended' || present.kind === 'unknown') return false;
      if (present.kind === 'unavailable') break;
      const { kind } = await this.end(key, present.record, reason);
      if (kind === 'ended') return true;
      if (kind === 'unavailable') break;
    }
    throw new SessionRoutingError('store_unavailable');
  }

  /**
   * Ends a session because its backend seems lost. What is known may come from the cache, so the store is read
   * first: a session that another gateway has moved is not over.
   */
  async endUnlessMoved(key: string, record: SessionRecord, reason: EndReason): Promise<EndResult> {
    const present = await this.#reads.read(key);
    if (present.kind === 'unavailable') return present;
    if (present.kind !== 'live') return ENDED_NOW;
    // An operator may have set another backend without counting; all other changes are met by `end`.
    return haveOneBackend(present.record, record)
      ? this.end(key, record, reason)
      : { kind: 'moved', record: present.record };
  }

  /** Replaces the record of a live session, if it is still of the version before. */
  async move(key: string, record: SessionRecord): Promise<EndResult> {
    const asked = this.#known.ask();
    try {
      const version = record[VERSION] - 1;
      const moved = await this.access.replace(key, record, this.#times.life, version);
      const found = { record, expiresIn: this.#times.life };
      const present = moved ? this.#reads.take(key, found, asked) : await this.#reads.read(key);
      if (present.kind === 'unavailable') return present;
      if (present.kind !== 'live') return ENDED_NOW;
      // That it has changed may be heard before the store's reply: what was known before is not the outcome.
      return { kind: 'moved', record: moved ? record : present.record };
    } catch {
      return UNAVAILABLE;
    }
  }

  /** From now on this process answers "ended" for the session, even when the store cannot be told. */
  forget(key: string, record: SessionRecord, reason: EndReason): void {
    this.#known.ended(key, reason, record);
  }

  /** See `StoreAccess`. */
  ready(): Promise<void> {
    return this.access.ready();
  }

  async close(): Promise<void> {
    this.#known.close();
    await this.access.close();
  }
}
