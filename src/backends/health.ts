import type { Reachability } from './outages.ts';

export interface HealthOptions {
  /** Rejects if the backend is not well; asked again and again while it is down. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  /** Whether a connection alone shows that it is well; otherwise only the probe does. */
  readonly connectionIsProof: boolean;
  /** A monotonic clock in ms. */
  readonly now: () => number;
  readonly onDown: () => void;
  readonly onUp: () => void;
}

/** Until the first probe of a backend that is down; each further one waits twice as long (ms). */
const FIRST_BACKOFF = 1000;
const LONGEST_BACKOFF = 30_000;

/** Whether a backend is up, by the connections that were tried and, while it is down, by probes. */
export class Health implements Reachability {
  readonly #options: HealthOptions;
  #downSince: number | undefined;
  #backoff = FIRST_BACKOFF;
  #timer: NodeJS.Timeout | undefined;
  /** One for each probe: node:net never takes its listener off the signal. */
  #probing: AbortController | undefined;
  #closed = false;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#downSince === undefined;
  }

  /** For how many milliseconds the backend has been down. */
  get outFor(): number {
    return this.#downSince === undefined ? 0 : this.#options.now() - this.#downSince;
  }

  /** No connection could be made. */
  failed(): void {
    if (this.#downSince !== undefined || this.#closed) return;
    this.#downSince = this.#options.now();
    this.#backoff = FIRST_BACKOFF;
    this.#probeLater();
    this.#options.onDown();
  }

  /** A connection was made. */
  connected(): void {
    if (this.#downSince !== undefined && this.#options.connectionIsProof) this.#recovered();
  }

  /** It has broken off: it may be dead without anybody having tried to connect. */
  suspect(): void {
    if (this.#downSince === undefined) void this.#probe();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closed = true;
    this.#probing?.abort();
  }

  #recovered(): void {
    clearTimeout(this.#timer);
    this.#downSince = undefined;
    this.#options.onUp();
  }

  #probeLater(): void {
    this.#timer = setTimeout(() => void this.#probe(), this.#backoff).unref();
    this.#backoff = Math.min(this.#backoff * 2, LONGEST_BACKOFF);
  }

  async #probe(): Promise<void> {
    if (this.#probing || this.#closed) return;
    this.#probing = new AbortController();
    const well = await this.#options.probe(this.#probing.signal).then(
      () => true,
      () => false,
    );
    this.#probing = undefined;
    if (this.#closed) return;
    if (!well && this.#downSince === undefined) this.failed();
    else if (!well) this.#probeLater();
    else if (this.#downSince !== undefined) this.#recovered();
  }
}
