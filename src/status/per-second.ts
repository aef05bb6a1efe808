/** How many whole seconds are remembered. */
export const SECONDS = 60;

/** Keys are few, such as backends; where they are not, those that are quiet make room. */
const MOST_KEYS = 1000;

/** That of now is counted too. */
const SLOTS = SECONDS + 1;

interface Series {
  readonly counts: Uint32Array;
  /** The second of the newest count. */
  newest: number;
}

/** Counts what happens in each second of the last minute, by key. It needs no timer: what is old is left out. */
export class PerSecond {
  readonly #series = new Map<string, Series>();
  readonly #now: () => number;

  /** `now`: a clock in ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(key: string): void {
    const second = this.#second();
    const series = this.#series.get(key) ?? this.#begin(key, second);
    if (!series) return;
    const { counts } = series;
    for (let gap = Math.min(second - series.newest, SLOTS); gap > 0; gap -= 1)
      counts[(second - gap + 1) % SLOTS] = 0;
    series.newest = Math.max(series.newest, second);
    counts[second % SLOTS] = (counts[second % SLOTS] ?? 0) + 1;
  }

  /** Of one key, or of all: the counts of the whole seconds, the oldest first. */
  of(key?: string): number[] {
    const second = this.#second();
    const sums = Array.from({ length: SECONDS }, () => 0);
    for (const { counts, newest } of this.#at(key)) {
      for (let age = SECONDS; age > 0; age -= 1) {
        const at = second - age;
        if (at <= newest && at > newest - SLOTS)
          sums[SECONDS - age] = (sums[SECONDS - age] ?? 0) + (counts[at % SLOTS] ?? 0);
      }
    }
    return sums;
  }

  /** Of one key, in the last minute: the present second counts too. */
  sum(key: string): number {
    const second = this.#second();
    const { counts, newest } = this.#series.get(key) ?? { counts: [], newest: -Infinity };
    let sum = 0;
    for (let at = second - SECONDS + 1; at <= second; at += 1)
      if (at <= newest && at > newest - SLOTS) sum += counts[at % SLOTS] ?? 0;
    return sum;
  }

  #second(): number {
    return Math.floor(this.#now() / 1000);
  }

  #at(key: string | undefined): Iterable<Series> {
    if (key === undefined) return this.#series.values();
    const series = this.#series.get(key);
    return series ? [series] : [];
  }

  #begin(key: string, second: number): Series | undefined {
    if (this.#series.size >= MOST_KEYS) {
      for (const [each, { newest }] of this.#series)
        if (newest < second - SECONDS) this.#series.delete(each);
      if (this.#series.size >= MOST_KEYS) return undefined;
    }
    const series = { counts: new Uint32Array(SLOTS), newest: second };
    this.#series.set(key, series);
    return series;
  }
}
