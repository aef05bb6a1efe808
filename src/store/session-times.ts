/** A record's time is refreshed once in this part of the ttl. */
const TOUCHES_PER_TTL = 10;

/** How long a session may be idle that was opened and not used yet (ms). */
export const FIRST_TTL: number = 15 * 60 * 1000;

/** When a live session expires unless it is used, and when its record has to be refreshed. */
export interface LiveTimes {
  readonly liveUntil: number;
  readonly touchAt: number;
}

/**
 * What the time a record still has says about its session. Where the store tells it, a record outlives its
 * session by `endedTtl`, as its own tombstone: so expired is told from never issued without comparing clocks.
 */
export class SessionTimes {
  /** How long a store keeps a live record. */
  readonly life: number;
  readonly #ttl: number;
  readonly #first: number;

  constructor(ttl: number, endedTtl: number, tellsExpiry: boolean) {
    this.#ttl = ttl;
    // Stores that cannot tell the time may not set it anew as they are told, either.
    this.#first = tellsExpiry ? Math.min(ttl, FIRST_TTL) : ttl;
    this.life = tellsExpiry ? ttl + endedTtl : ttl;
  }

  /** How long a store keeps a record whose session may be idle for so many milliseconds. */
  lifeOf(idle: number = this.#ttl): number {
    return this.life - this.#ttl + idle;
  }

  /** For how long a new session is stored; the first request of it makes that its whole life. */
  firstLife(idle: number = this.#first): number {
    return this.lifeOf(idle);
  }

  /** Of a session that was stored at `now` for its first life: it is refreshed at once when it is used. */
  opened(now: number, idle?: number): LiveTimes {
    const isWhole = idle !== undefined || this.#first === this.#ttl;
    return isWhole ? this.renewed(now, idle) : { liveUntil: now + this.#first, touchAt: now };
  }

  /** Of a session that was stored or refreshed at `now`, and may be `idle` for so many ms. */
  renewed(now: number, idle: number = this.#ttl): LiveTimes {
    return { liveUntil: now + idle, touchAt: now + idle / TOUCHES_PER_TTL };
  }

  /** Of a session that was read at `now`; `undefined` if it has expired. */
  read(
    now: number,
    expiresIn: number | undefined,
    previous?: LiveTimes,
    idle: number = this.#ttl,
  ): LiveTimes | undefined {
    if (expiresIn !== undefined) {
      const idleLeft = expiresIn - (this.life - this.#ttl);
      if (idleLeft <= 0) return undefined;
      const liveUntil = now + idleLeft;
      return { liveUntil, touchAt: liveUntil - idle + idle / TOUCHES_PER_TTL };
    }
    // The store cannot tell. This process knows when it has refreshed the record itself ...
    if (previous && previous.liveUntil > now) return previous;
    // ... otherwise the record may be about to go: it is refreshed at once.
    return { liveUntil: now + idle, touchAt: now };
  }
}
