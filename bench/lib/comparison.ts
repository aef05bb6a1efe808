/** What one variant took in one round. */
export interface Sample {
  /** CPU time of the gateway process per request (us). */
  readonly cpu: number;
  /** Requests per second. */
  readonly rate: number;
}

/** By variant and round; a round is paired with the same round of the others. */
export type Samples = Readonly<Record<string, readonly Sample[]>>;

/** So many of the rounds count, the quietest ones: what else runs on the machine can only add. */
const QUIET = 0.5;

/** What the rounds tell. The rounds that count are the same for all variants. */
export class Comparison {
  readonly #samples: Samples;
  readonly #rounds: readonly number[];

  constructor(samples: Samples) {
    this.#samples = samples;
    const all = Object.values(samples);
    const sums = (all[0] ?? []).map((_, round) => ({
      round,
      cpu: all.reduce((sum, each) => sum + (each[round]?.cpu ?? 0), 0),
    }));
    this.#rounds = sums
      .toSorted((a, b) => a.cpu - b.cpu)
      .slice(0, Math.ceil(sums.length * QUIET))
      .map(({ round }) => round);
  }

  /** CPU time per request (us). */
  cpu(name: string): number {
    return this.#mean(name, ({ cpu }) => cpu);
  }

  /** Requests per second. */
  rate(name: string): number {
    return this.#mean(name, ({ rate }) => rate);
  }

  /** How much of the other's CPU time this one takes, the other way round: 1 is the same, less is slower. */
  efficiency(name: string, of: string): number {
    return this.cpu(of) / this.cpu(name);
  }

  #mean(name: string, of: (sample: Sample) => number): number {
    const samples = this.#samples[name] ?? [];
    const values = this.#rounds.map((round) => samples[round]).filter((each) => each !== undefined);
    return values.reduce((sum, each) => sum + of(each), 0) / values.length;
  }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? Number.NaN;
}
