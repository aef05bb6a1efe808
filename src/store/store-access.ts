import { SessionRoutingError } from '../protocol/errors.ts';
import { completed, type CompleteStore, type Found } from './complete-store.ts';
import { isThenable, NoAnswer, withDeadline } from './deadline.ts';
import type { SessionRecord } from './record.ts';
import type { Awaitable, EndedListener, SessionStore } from './session-store.ts';
import type { StoreListener, StoreVerb } from './store-verb.ts';
import { messageOf, tell } from './user-code.ts';

export interface StoreAccessOptions {
  /** Longest a store may take in ms. */
  readonly storeTimeout: number;
  /** Told of each failure of the store, and of each record that cannot be read. */
  readonly onFailure: (error: unknown, during: string) => void;
  readonly onAnswer?: StoreListener;
  /** A monotonic clock in ms. */
  readonly now: () => number;
}

/** A key that is never issued: SHA-256 has no known input for it. */
const NOBODY = '0'.repeat(64);
/** Between two questions to a store that is not ready yet (ms). */
const READY_INTERVAL = 20;

/**
 * A store behind its deadline: what takes longer, throws or rejects is told, and is `store_unavailable`
 * to the caller.
 */
export class StoreAccess {
  readonly #store: SessionStore;
  readonly #verbs: CompleteStore;
  readonly #options: StoreAccessOptions;
  #unsubscribe: (() => Awaitable<unknown>) | undefined;
  #closing: Promise<void> | undefined;

  constructor(store: SessionStore, options: StoreAccessOptions) {
    this.#store = store;
    this.#verbs = completed(store);
    this.#options = options;
    // Of a store that can never work its gateway is told now, even if it does not wait for ready().
    if (store.probe) {
      this.ready().catch((error: Error) => {
        if (!this.#closing) this.failed(error.cause, 'probe');
      });
    }
  }

  get tellsExpiry(): boolean {
    return this.#verbs.tellsExpiry;
  }

  /** @throws {SessionRoutingError} at once, or later by its promise */
  read(key: string): Awaitable<Found | undefined> {
    try {
      const found = this.#verbs.read(key);
      if (isThenable(found)) return this.#ask('read', () => found);
      this.#options.onAnswer?.('read', 0, undefined);
      return found;
    } catch (error) {
      this.#options.onAnswer?.('read', 0, 'error');
      throw this.#unavailable(error, 'read');
    }
  }

  /** Stores the record unless there is one, which is then returned. */
  async create(
    key: string,
    record: SessionRecord,
    ttl: number,
  ): Promise<{ readonly created: boolean; readonly present?: Found | undefined }> {
    return this.#ask('create', async () =>
      (await this.#verbs.create(key, record, ttl))
        ? { created: true }
        : { created: false, present: await this.#verbs.read(key) },
    );
  }

  async set(key: string, record: SessionRecord, ttl: number): Promise<void> {
    await this.#ask('set', async () => this.#store.set(key, record, ttl));
  }

  async delete(key: string): Promise<void> {
    await this.#ask('delete', async () => this.#store.delete(key));
  }

  async replace(
    key: string,
    record: SessionRecord,
    ttl: number,
    version: number,
  ): Promise<boolean> {
    return this.#ask('replace', async () => this.#verbs.replace(key, record, ttl, version));
  }

  async touch(key: string, ttl: number): Promise<void> {
    return this.#ask('touch', async () => this.#verbs.touch(key, ttl));
  }

  /**
   * Resolves when the store has answered once; a client that has just been made may take `storeTimeout` to connect.
   * @throws {SessionRoutingError} `store_unavailable` with the store's own error as its cause
   */
  async ready(): Promise<void> {
    const { now, storeTimeout } = this.#options;
    const deadline = now() + storeTimeout;
    let said: unknown;
    for (;;) {
      const left = Math.max(1, deadline - now());
      try {
        await withDeadline(async () => this.#store.probe?.() ?? this.#verbs.read(NOBODY), left);
        return;
      } catch (error) {
        // The last question may have come too late for an answer: what was said before tells more.
        if (said === undefined || !(error instanceof NoAnswer)) said = error;
        if (this.#closing || now() >= deadline) {
          const message = `Session store unavailable: ${messageOf(said)}`;
          throw new SessionRoutingError('store_unavailable', message, { cause: said });
        }
        await new Promise((resolve) => setTimeout(resolve, READY_INTERVAL));
      }
    }
  }

  failed(error: unknown, during: string): void {
    tell(() => this.#options.onFailure(error, during));
  }

  /** Hears of endings until `close`. A store that cannot listen is told; its endings are never relied on. */
  subscribe(listener: EndedListener): void {
    const subscribed = Promise.resolve<unknown>(this.#store.subscribe?.(listener));
    const stop = subscribed.catch((error: unknown) => {
      this.failed(error, 'subscribe');
      listener.interrupted();
    });
    this.#unsubscribe = async () => {
      const unsubscribe = await stop;
      if (typeof unsubscribe === 'function') await unsubscribe();
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { storeTimeout } = this.#options;
    // What the store has opened is released, whatever becomes of the subscription.
    await withDeadline(async () => this.#unsubscribe?.(), storeTimeout).catch((error: unknown) =>
      this.failed(error, 'unsubscribe'),
    );
    await this.#store.close?.();
  }

  async #ask<T>(during: StoreVerb, verb: () => PromiseLike<T>): Promise<T> {
    const { now, storeTimeout, onAnswer } = this.#options;
    const asked = now();
    try {
      const answer = await withDeadline(verb, storeTimeout);
      onAnswer?.(during, now() - asked, undefined);
      return answer;
    } catch (cause) {
      onAnswer?.(during, now() - asked, cause instanceof NoAnswer ? 'timeout' : 'error');
      throw this.#unavailable(cause, during);
    }
  }

  #unavailable(cause: unknown, during: string): SessionRoutingError {
    this.failed(cause, during);
    return new SessionRoutingError('store_unavailable', undefined, { cause });
  }
}
