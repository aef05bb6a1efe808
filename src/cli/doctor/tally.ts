/** How often what has happened. */
export type Tally = Readonly<Record<string, number>>;

export class Counter {
  readonly #counts = new Map<string, number>();

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** The most frequent first. */
  get tally(): Tally {
    return Object.fromEntries([...this.#counts].toSorted(([, a], [, b]) => b - a));
  }
}

export function sumOf(tally: Tally): number {
  return Object.values(tally).reduce((sum, count) => sum + count, 0);
}

/** Times in milliseconds. */
export interface Spread {
  readonly median: number;
  readonly p99: number;
}

/** `undefined`: nothing was measured. */
export function spreadOf(times: readonly number[]): Spread | undefined {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number | undefined =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const median = at(0.5);
  const p99 = at(0.99);
  return median === undefined || p99 === undefined ? undefined : { median, p99 };
}
