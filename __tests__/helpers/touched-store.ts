import { EventEmitter, once } from 'node:events';
import { MemoryStore } from '../../src/index.ts';
import { keyOf } from './scripted-store.ts';

/** A memory store that tells when the time of a record is refreshed. */
export class TouchedStore extends MemoryStore {
  readonly #events = new EventEmitter();
  /** How often the time of a record was refreshed. */
  touches = 0;

  override touch(id: string, ttl: number): void {
    super.touch(id, ttl);
    this.touches += 1;
    this.#events.emit('touch');
  }

  /** Resolves when that many refreshes were made. */
  async touched(times: number): Promise<void> {
    while (this.touches < times) await once(this.#events, 'touch');
  }

  /** Milliseconds until the record is dropped. */
  expiresIn(sessionId: string): number {
    return this.getWithExpiry(keyOf(sessionId))?.expiresIn ?? 0;
  }
}
