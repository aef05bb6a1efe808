import { LRUCache } from 'lru-cache';
import { isObject, MOST_ENTRIES, shown, strayOf } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { VERSION, type SessionRecord } from './record.ts';
import type { SessionStore, StoredRecord } from './session-store.ts';

export interface MemoryStoreOptions {
  /**
   * Most sessions that are kept; past it the one that was not used for longest is forgotten.
   * @default 100_000
   */
  readonly max?: number;
}

/**
 * Sessions in the memory of this process: for one gateway process, and for development. A restart forgets
 * them, and a second gateway does not see them; use {@link RedisStore} for that.
 */
export class MemoryStore implements SessionStore {
  readonly #records: LRUCache<string, SessionRecord>;
  #evicted = 0;

  /** @throws {SessionRoutingError} `invalid_store` */
  constructor(options: MemoryStoreOptions = {}) {
    if (!isObject(options)) throw invalid('the options must be an object, such as { max }');
    const stray = strayOf(options, ['max']);
    if (stray) throw invalid(`"${stray.name}" ${stray.remedy}`);
    const { max = 100_000 } = options;
    if (!Number.isSafeInteger(max) || max < 1 || max > MOST_ENTRIES) {
      const range = `from 1 to ${MOST_ENTRIES}`;
      throw invalid(`"max" must be a whole number ${range}, got ${shown(max)}`);
    }
    this.#records = new LRUCache<string, SessionRecord>({
      max,
      ttl: 1,
      // Every record has its own time; the expiry is checked when it is read, so there are no timers.
      ttlResolution: 0,
      updateAgeOnGet: false,
      dispose: (_record, id, reason) => {
        if (reason === 'evict' && this.#records.getRemainingTTL(id) > 0) this.#countEviction(max);
      },
    });
  }

  /** Sessions that were forgotten before their time because the store was full. */
  get evicted(): number {
    return this.#evicted;
  }

  get(id: string): SessionRecord | undefined {
    return this.#records.get(id);
  }

  getWithExpiry(id: string): StoredRecord | undefined {
    const record = this.#records.get(id);
    return record && { record, expiresIn: this.#records.getRemainingTTL(id) };
  }

  set(id: string, record: SessionRecord, ttl: number): void {
    // A copy that nobody can change: whoever reads it again need not judge it again.
    const kept = Object.isFrozen(record) ? record : Object.freeze({ ...record });
    this.#records.set(id, kept, { ttl });
  }

  delete(id: string): void {
    this.#records.delete(id);
  }

  create(id: string, record: SessionRecord, ttl: number): boolean {
    if (this.#records.get(id) !== undefined) return false;
    this.set(id, record, ttl);
    return true;
  }

  replace(id: string, record: SessionRecord, ttl: number, version: number): boolean {
    if (this.#records.get(id)?.[VERSION] !== version) return false;
    this.set(id, record, ttl);
    return true;
  }

  touch(id: string, ttl: number): void {
    const record = this.#records.get(id);
    if (record) this.set(id, record, ttl);
  }

  #countEviction(max: number): void {
    this.#evicted += 1;
    if (this.#evicted > 1) return;
    process.emitWarning(
      `MemoryStore is full (${max} sessions): the least recently used are forgotten. ` +
        'Raise "max", shorten "ttl", or use RedisStore.',
      { code: 'MCP_SESSION_ROUTING_STORE_FULL' },
    );
  }
}

function invalid(remedy: string): SessionRoutingError {
  return new SessionRoutingError('invalid_store', `MemoryStore: ${remedy}`);
}
