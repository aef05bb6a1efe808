import { LRUCache } from 'lru-cache';

/** Since when backends could not be reached, by the connections that were tried. */
export class Outages {
  // Without `backends` the origins come from records and targets: their number is not ours to set.
  readonly #since = new LRUCache<string, number>({ max: 1000 });

  reached(origin: string): void {
    this.#since.delete(origin);
  }

  /** Notes a failed connection; returns for how many milliseconds the backend has been out. */
  failed(origin: string, now: number): number {
    const since = this.#since.get(origin) ?? now;
    this.#since.set(origin, since);
    return now - since;
  }
}
