import { isThenable, withDeadline } from '../store/deadline.ts';
import type { Awaitable } from '../store/session-store.ts';

export interface PollerOptions<T> {
  readonly ask: () => Awaitable<T>;
  /** Milliseconds between two questions. */
  readonly interval: number;
  readonly onAnswer: (answer: T) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Longest a question may take: one that is never answered must not be the last (ms). */
const PATIENCE = 5000;

/** Asks again and again, and between times when somebody needs to know. */
export class Poller<T> {
  readonly #options: PollerOptions<T>;
  #asking: Promise<boolean> | undefined;
  #next: Promise<boolean> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** What can be answered at once is answered when the constructor returns. */
  constructor(options: PollerOptions<T>) {
    this.#options = options;
    void this.#ask();
  }

  /** `true` after an answer to a question that was asked from now on, `false` if it has failed. */
  fresh(): Promise<boolean> {
    // What is on its way may tell of how it was a moment ago.
    this.#next ??= (this.#asking ?? Promise.resolve()).then(() => {
      this.#next = undefined;
      return this.#ask();
    });
    return this.#next;
  }

  /** The outcome of the question that is on its way, or of a new one. */
  settled(): Promise<boolean> {
    return this.#asking ?? this.fresh();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #ask(): Promise<boolean> {
    clearTimeout(this.#timer);
    if (this.#closed) return Promise.resolve(false);
    try {
      const answer = this.#options.ask();
      if (!isThenable(answer)) {
        this.#options.onAnswer(answer);
        return this.#done(true);
      }
      this.#asking = withDeadline(() => answer, PATIENCE)
        .then((late) => {
          if (!this.#closed) this.#options.onAnswer(late);
          return true;
        })
        .catch((error: unknown) => this.#failed(error))
        .then((answered) => this.#done(answered));
      return this.#asking;
    } catch (error) {
      return this.#done(this.#failed(error));
    }
  }

  #failed(error: unknown): false {
    if (!this.#closed) this.#options.onFailure(error);
    return false;
  }

  #done(answered: boolean): Promise<boolean> {
    this.#asking = undefined;
    if (!this.#closed) {
      this.#timer = setTimeout(() => void this.#ask(), this.#options.interval).unref();
    }
    return Promise.resolve(answered);
  }
}
