import type { StoreFailure, StoreVerb } from './store/store-verb.ts';

/** How often the store was asked to do one thing, and how long it took. */
export interface StoreTimes {
  /** Answers and failures. */
  readonly count: number;
  readonly failures: number;
  /** All of them together, in seconds. */
  readonly seconds: number;
  /** How many took at most `le` seconds; each counts what those before it count, and the last one is of all. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
}

/** Between a Redis next door and the default `storeTimeout` (s). */
export const STORE_BOUNDS: readonly number[] = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
];

interface Tally {
  failures: number;
  seconds: number;
  /** By bound, each on its own; the last one is of what took longer than all of them. */
  readonly counts: number[];
}

/** Adds up how long the store took. */
export class StoreTally {
  readonly #verbs: Record<StoreVerb, Tally> = {
    ...{ read: none(), create: none(), set: none() },
    ...{ replace: none(), touch: none(), delete: none() },
  };

  add(verb: StoreVerb, seconds: number, failure: StoreFailure | undefined): void {
    const tally = this.#verbs[verb];
    let at = 0;
    while (seconds > (STORE_BOUNDS[at] ?? Infinity)) at += 1;
    tally.counts[at] = (tally.counts[at] ?? 0) + 1;
    tally.seconds += seconds;
    if (failure !== undefined) tally.failures += 1;
  }

  times(): Record<StoreVerb, StoreTimes> {
    const { read, create, set, replace, touch, delete: deleted } = this.#verbs;
    return {
      ...{ read: timesOf(read), create: timesOf(create), set: timesOf(set) },
      ...{ replace: timesOf(replace), touch: timesOf(touch), delete: timesOf(deleted) },
    };
  }
}

function none(): Tally {
  return {
    failures: 0,
    seconds: 0,
    counts: Array.from({ length: STORE_BOUNDS.length + 1 }, () => 0),
  };
}

function timesOf({ failures, seconds, counts }: Tally): StoreTimes {
  let count = 0;
  const buckets = counts.map((own, at) => {
    count += own;
    return { le: STORE_BOUNDS[at] ?? Infinity, count };
  });
  return { count, failures, seconds, buckets };
}
