import { EventEmitter, once } from 'node:events';
import { MemoryStore, type SessionRecord, type SessionStore } from '../../src/index.ts';
import { keyOf } from './scripted-store.ts';

/** A session that is about to be stored. */
export interface PendingRecord {
  /** The store does what it is asked to. */
  store(): void;
  fail(error?: Error): void;
}

/** A store that creates no record before the test says so. */
export class GatedStore implements SessionStore {
  readonly #records = new MemoryStore();
  readonly #pending: PendingRecord[] = [];
  readonly #asked = new EventEmitter();

  /** The creation with this number (from 0), as soon as it is asked for. */
  async asked(number = 0): Promise<PendingRecord> {
    while (this.#pending.length <= number) await once(this.#asked, 'create');
    return this.#pending[number] as PendingRecord;
  }

  /** How often a record was to be created. */
  get creations(): number {
    return this.#pending.length;
  }

  /** Fails whatever still waits. */
  close(): void {
    for (const pending of this.#pending) pending.fail();
  }

  has(sessionId: string): boolean {
    return this.#records.get(keyOf(sessionId)) !== undefined;
  }

  create(id: string, record: SessionRecord, ttl: number): Promise<boolean> {
    return new Promise((resolve, fail) => {
      const store = (): void => resolve(this.#records.create(id, record, ttl));
      this.#pending.push({ store, fail: (error = new Error('out of order')) => fail(error) });
      this.#asked.emit('create');
    });
  }

  get(id: string): unknown {
    return this.#records.get(id);
  }

  set(id: string, record: SessionRecord, ttl: number): void {
    this.#records.set(id, record, ttl);
  }

  delete(id: string): void {
    this.#records.delete(id);
  }
}
