import type { Era, SpokenEras } from '../protocol/era.ts';

/** `both`: it speaks to clients with sessions, and to those of 2026-07-28. */
export type BackendEra = Era | 'both';

interface Known {
  readonly speaks: SpokenEras;
  readonly at: number;
}

/** So many times the ttl may pass until what was learned is worth nothing. */
const STALE = 12;

/** Which eras the backends speak, as far as they were heard. */
export class Eras {
  /** Those that are being asked, until they have told. */
  readonly asking: Map<string, Promise<void>> = new Map();
  readonly #known = new Map<string, Known>();
  readonly #ttl: number;
  readonly #now: () => number;

  /** What was learned `ttl` ms ago is to be asked again; `now` is a monotonic clock in ms. */
  constructor(ttl: number, now: () => number) {
    this.#ttl = ttl;
    this.#now = now;
  }

  /** `undefined`: it is not known. */
  speaks(origin: string, era: Era): boolean | undefined {
    const known = this.#known.get(origin);
    const stale = known === undefined || this.#now() >= known.at + STALE * this.#ttl;
    return stale ? undefined : known.speaks[era];
  }

  /** Whether it was heard within the ttl, whatever it has said. */
  isFresh(origin: string): boolean {
    const known = this.#known.get(origin);
    return known !== undefined && this.#now() < known.at + this.#ttl;
  }

  learn(origin: string, speaks: SpokenEras): void {
    const before = this.#known.get(origin)?.speaks;
    this.#known.set(origin, { speaks: { ...before, ...speaks }, at: this.#now() });
  }

  /** Another process may be there now. */
  forget(origin: string): void {
    this.#known.delete(origin);
  }
}

/** What the operator says of a backend. */
export function spokenBy(era: BackendEra | undefined): SpokenEras {
  return era === undefined ? {} : { modern: era !== 'legacy', legacy: era !== 'modern' };
}

/**
 * Puts the backends that are known not to speak an era behind all others, whatever state they are in; and of the best
 * those that are being asked behind those that are known to, if any is.
 */
export function tiersFor(
  tiers: readonly (readonly string[])[],
  speaks: (origin: string) => boolean | undefined,
  isAsked: (origin: string) => boolean = () => false,
): readonly (readonly string[])[] {
  const fits = (origin: string): boolean => speaks(origin) !== false;
  const [best = [], ...others] = tiers.flat().every(fits) ? tiers : fitting(tiers, fits);
  const waiting = (origin: string): boolean => speaks(origin) === undefined && isAsked(origin);
  if (!best.some(speaks) || !best.some(waiting)) return [best, ...others];
  return [best.filter((origin) => !waiting(origin)), best.filter(waiting), ...others];
}

function fitting(
  tiers: readonly (readonly string[])[],
  fits: (origin: string) => boolean,
): readonly (readonly string[])[] {
  const others = tiers.flat().filter((origin) => !fits(origin));
  return [...tiers.map((tier) => tier.filter(fits)), others].filter((tier) => tier.length > 0);
}
