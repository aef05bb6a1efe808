import type { DecidedRequest } from '../http/request-watch.ts';
import { PerSecond } from './per-second.ts';

/** Requests that are kept. */
const MOST_RECENT = 50;

/** A request of which was told, and how many were told of before it. */
export interface RecentDecision extends DecidedRequest {
  readonly number: number;
}

/** What was told of the requests of the last minute. */
export class Feed {
  /** By the origin that they went to. */
  readonly calls: PerSecond;
  /** Answers of 500 and above, by the same. */
  readonly failures: PerSecond;
  readonly kinds: PerSecond;
  readonly reasons: PerSecond;
  readonly #recent: RecentDecision[] = [];
  #told = 0;

  /** `now`: a monotonic clock in ms. */
  constructor(now: () => number) {
    this.calls = new PerSecond(now);
    this.failures = new PerSecond(now);
    this.kinds = new PerSecond(now);
    this.reasons = new PerSecond(now);
  }

  note(request: DecidedRequest): void {
    const { kind, backend, status, reason } = request;
    this.#recent.push({ ...request, number: this.#told });
    this.#told += 1;
    if (this.#recent.length > MOST_RECENT) this.#recent.shift();
    this.kinds.add(kind);
    if (reason !== undefined) this.reasons.add(reason);
    this.calls.add(backend ?? '');
    if (backend !== undefined && (status ?? 0) >= 500) this.failures.add(backend);
  }

  /** The oldest first. */
  recent(): readonly RecentDecision[] {
    return this.#recent;
  }
}
