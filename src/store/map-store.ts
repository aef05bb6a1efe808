import { VERSION, type SessionRecord } from './record.ts';
import type { SessionStore, StoredRecord } from './session-store.ts';

const EXPIRES_AT = 'expires_at';

type MapRecord = SessionRecord & { readonly [EXPIRES_AT]: number };

/** Not the time of day, which may be set. */
const now = (): number => performance.now();

/**
 * A `Map` as a store. A `Map` does not expire, so the time stands in the record (same process, same clock) and
 * is looked at on reading; what nobody asks for again stays in the `Map`: use `MemoryStore` where that matters.
 */
export class MapStore implements SessionStore {
  readonly #map: Map<unknown, unknown>;

  constructor(map: Map<unknown, unknown>) {
    this.#map = map;
  }

  get(id: string): unknown {
    return this.getWithExpiry(id)?.record;
  }

  getWithExpiry(id: string): StoredRecord | undefined {
    const present = this.#map.get(id);
    if (present === undefined || present === null) return undefined;
    // A record that somebody else has put in, or spoilt, is handed on for the reader to judge.
    if (!isMapRecord(present)) return { record: present, expiresIn: Infinity };
    const { [EXPIRES_AT]: expiresAt, ...record } = present;
    const expiresIn = expiresAt - now();
    if (expiresIn > 0) return { record, expiresIn };
    this.#map.delete(id);
    return undefined;
  }

  set(id: string, record: SessionRecord, ttl: number): void {
    const stored: MapRecord = { ...record, [EXPIRES_AT]: now() + ttl };
    this.#map.set(id, stored);
  }

  delete(id: string): void {
    this.#map.delete(id);
  }

  create(id: string, record: SessionRecord, ttl: number): boolean {
    if (this.getWithExpiry(id) !== undefined) return false;
    this.set(id, record, ttl);
    return true;
  }

  replace(id: string, record: SessionRecord, ttl: number, version: number): boolean {
    const present = this.#present(id);
    if (present?.[VERSION] !== version) return false;
    this.set(id, record, ttl);
    return true;
  }

  touch(id: string, ttl: number): void {
    const present = this.#present(id);
    if (present) this.set(id, present, ttl);
  }

  #present(id: string): MapRecord | undefined {
    const present = this.getWithExpiry(id) && this.#map.get(id);
    return isMapRecord(present) ? present : undefined;
  }
}

function isMapRecord(value: unknown): value is MapRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    EXPIRES_AT in value &&
    typeof value[EXPIRES_AT] === 'number'
  );
}
