import { LRUCache } from 'lru-cache';

/** Since when a place cannot be reached, by the connections that were tried. */
export interface Reachability {
  /** For how many milliseconds it has been out of reach; 0 if it is not. */
  readonly outFor: number;
  /** No connection could be made. */
  failed(): void;
  /** A connection was made. */
  connected(): void;
  /** It has broken off in the middle. */
  suspect(): void;
}

/** The places that no list of backends names, and that could not be reached. Nobody looks whether they are back. */
export class Outages {
  // The origins come from records and targets: their number is not ours to set.
  readonly #since = new LRUCache<string, number>({ max: 1000 });
  readonly #now: () => number;

  /** `now`: a monotonic clock in ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  of(origin: string): Reachability {
    const now = this.#now();
    const since = this.#since;
    return {
      outFor: now - (since.get(origin) ?? now),
      failed: () => void (since.has(origin) || since.set(origin, now)),
      connected: () => void since.delete(origin),
      suspect() {},
    };
  }
}
