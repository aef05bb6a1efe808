/** Longest time of `setTimeout`: with more it fires at once (ms). */
const LONGEST = 2 ** 31 - 1;

/** The store has not said anything. */
export class NoAnswer extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`);
  }
}

/**
 * The promise's outcome, or a rejection once `ms` milliseconds have passed. What comes after the deadline is
 * dropped, its failure too.
 */
export function withDeadline<T>(start: () => PromiseLike<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const started = start();
    const fail = (): void => reject(new NoAnswer(ms));
    const timer = setTimeout(fail, Math.min(ms, LONGEST));
    started.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** A promise of any library, and of any realm: `instanceof Promise` knows only this one's. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
