/** Timers run at once with anything longer (ms). */
const LONGEST_TIMER = 2 ** 31 - 1;

/** What goes to a backend at the moment, from this process. */
export interface Load {
  /** Requests that are not answered to the end. */
  readonly requests: number;
  /** Event streams (GET) that are open. */
  readonly streams: number;
}

/** One request on its way. */
export interface Visit {
  /** It goes to another backend after all. */
  moveTo(origin: string): void;
  /** It is over. */
  leave(): void;
}

interface Place {
  requests: number;
  /** How each stream is broken off. */
  readonly streams: Set<() => void>;
}

/** The requests and streams that this process has open, by the origin they go to. */
export class Traffic {
  readonly #places = new Map<string, Place>();
  readonly #waiting = new Set<() => void>();

  /** A request goes to `origin`; `end` breaks it off if it is an event stream. */
  enter(origin: string, end: (() => void) | undefined): Visit {
    let at: string | undefined = origin;
    this.#add(origin, end);
    return {
      moveTo: (to) => {
        if (at === undefined || at === to) return;
        this.#remove(at, end);
        this.#add(to, end);
        at = to;
      },
      leave: () => {
        if (at === undefined) return;
        this.#remove(at, end);
        at = undefined;
        for (const look of this.#waiting) look();
      },
    };
  }

  /** To one origin, or to all. */
  load(origin?: string): Load {
    let requests = 0;
    let streams = 0;
    for (const place of this.#at(origin)) {
      requests += place.requests;
      streams += place.streams.size;
    }
    return { requests, streams };
  }

  /** Requests and streams: what "least connections" counts. */
  count(origin: string): number {
    const place = this.#places.get(origin);
    return place ? place.requests + place.streams.size : 0;
  }

  /** Breaks off the event streams to one origin, or all. */
  endStreams(origin?: string): void {
    for (const place of this.#at(origin)) for (const end of place.streams) end();
  }

  /** `true` as soon as nothing is open to the origin (or to any), `false` if that takes more than `timeout` ms. */
  idle(origin: string | undefined, timeout: number): Promise<boolean> {
    const isIdle = (): boolean => {
      const { requests, streams } = this.load(origin);
      return requests + streams === 0;
    };
    if (isIdle()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (idle: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(idle);
      };
      const look = (): void => {
        if (isIdle()) settle(true);
      };
      // Whoever waits for this wants to live until then.
      const timer = setTimeout(() => settle(false), Math.min(timeout, LONGEST_TIMER));
      this.#waiting.add(look);
    });
  }

  #at(origin: string | undefined): Iterable<Place> {
    if (origin === undefined) return this.#places.values();
    const place = this.#places.get(origin);
    return place ? [place] : [];
  }

  #add(origin: string, end: (() => void) | undefined): void {
    let place = this.#places.get(origin);
    if (!place) {
      place = { requests: 0, streams: new Set() };
      this.#places.set(origin, place);
    }
    if (end) place.streams.add(end);
    else place.requests += 1;
  }

  #remove(origin: string, end: (() => void) | undefined): void {
    const place = this.#places.get(origin);
    if (!place) return;
    if (end) place.streams.delete(end);
    else place.requests -= 1;
    if (place.requests === 0 && place.streams.size === 0) this.#places.delete(origin);
  }
}
