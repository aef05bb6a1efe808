import type { SessionRecord } from './record.ts';

/** A value, now or later. */
export type Awaitable<T> = T | Promise<T>;

/** A record and how long it is still kept. */
export interface StoredRecord {
  /** As it was stored; it is checked by the caller, since a store's content is not trusted. */
  readonly record: unknown;
  /** Milliseconds until the store drops the record. */
  readonly expiresIn: number;
}

/** What a subscriber of "ended" is told. */
export interface EndedListener {
  /** The session with this id was ended, here or by another gateway. */
  ended(id: string): void;
  /** The record of this session was replaced by another one that is live: what is known of it is old. */
  changed?(id: string): void;
  /** From now on endings may be missed. */
  interrupted(): void;
  /** Endings are heard again; some may have been missed. */
  resumed(): void;
}

/**
 * Where sessions are kept. Three verbs are needed, the others make it stronger; docs/stores.md says what is
 * lost without each. `id` is the SHA-256 of the session id in hex: a store never sees a live session id.
 *
 * Every verb may throw or reject: that is an outage, answered by 503. Only `undefined` means "no such session".
 */
export interface SessionStore {
  /** The record as it was set, or `undefined` (or `null`) when there is none. */
  get(id: string): Awaitable<unknown>;
  /** Stores the record for `ttl` milliseconds, replacing what was there. */
  set(id: string, record: SessionRecord, ttl: number): Awaitable<unknown>;
  /** Removes the record; no error if there is none. */
  delete(id: string): Awaitable<unknown>;

  /** `get` with the remaining time, in one round trip: lets an expired session be told from a never issued one. */
  getWithExpiry?(id: string): Awaitable<StoredRecord | undefined>;
  /** Stores the record only if there is none for `id`; `false` if there was one. */
  create?(id: string, record: SessionRecord, ttl: number): Awaitable<boolean>;
  /**
   * Stores the record only if the present one's `version` is `version`; `false` if not. A record with `ended` is
   * told to all subscribers as ended, any other one as changed.
   */
  replace?(id: string, record: SessionRecord, ttl: number, version: number): Awaitable<boolean>;
  /** Lets the record live for `ttl` milliseconds from now; no error, and no new record, if there is none. */
  touch?(id: string, ttl: number): Awaitable<unknown>;
  /**
   * Tells of sessions that were ended by any gateway; returns a function that stops it. Nothing is heard, as far as
   * the listener is concerned, before the first `resumed()`.
   */
  subscribe?(listener: EndedListener): Awaitable<() => Awaitable<void>>;
  /** Throws what is wrong with the store and how to mend it; called when the gateway is made, and by `ready()`. */
  probe?(): Awaitable<unknown>;
  /** Releases what the store itself has opened; called when the middleware is closed. */
  close?(): Awaitable<void>;
}
