import type { IncomingMessage } from 'node:http';
import { shown } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { isThenable } from '../store/deadline.ts';

/** The request that a backend is chosen for. */
export type BalancedRequest = IncomingMessage;

/**
 * Which backend takes the next session: in turn, the one with the fewest requests and streams of this process, or
 * as the function says.
 *
 * @example
 * balance: (candidates, req) => candidates[hashOf(req.headers['x-tenant']) % candidates.length]
 */
export type Balance =
  | 'round-robin'
  | 'least-connections'
  | ((candidates: readonly string[], req: BalancedRequest) => string);

/** Sessions are shared out evenly among themselves, whatever else clients ask in between. */
export type Turn = 'opening' | 'other';

/** How often a backend was the first choice. */
interface Taken {
  /** For what may open a session. */
  opening: number;
  /** For anything. */
  all: number;
  /** Which choice it was the last time. */
  last: number;
}

/**
 * How many choices a backend may lag behind the others: one that is new, or was away, is not given all that comes
 * until it has caught up. How many requests are open is chance, and evens out over some more choices.
 */
const LONGEST_LAG = { 'round-robin': 1, 'least-connections': 16 };

/** Puts candidates in the order in which they are tried. */
export class Balancer {
  readonly #balance: Balance;
  readonly #countOf: (origin: string) => number;
  readonly #taken = new Map<string, Taken>();
  #choices = 0;

  constructor(balance: Balance, countOf: (origin: string) => number) {
    this.#balance = balance;
    this.#countOf = countOf;
  }

  /**
   * The candidates and, after them, the others, which are tried last.
   * @throws {SessionRoutingError} `invalid_option` if the function returns none of them
   */
  order(
    candidates: readonly string[],
    others: readonly string[],
    req: BalancedRequest,
    turn: Turn,
  ): readonly string[] {
    const balance = this.#balance;
    if (typeof balance === 'function') {
      return firstOf(balance(candidates, req), candidates, others);
    }
    const ordered = rotate(candidates, this.#choose(candidates, balance, turn));
    return others.length === 0 ? ordered : [...ordered, ...others];
  }

  /** It is no more, or another one has its address. */
  forget(origin: string): void {
    this.#taken.delete(origin);
  }

  /** The place of the one that was chosen least often, of those with the fewest open requests if these count. */
  #choose(candidates: readonly string[], balance: keyof typeof LONGEST_LAG, turn: Turn): number {
    const places = this.#places(candidates);
    const most = { opening: 0, all: 0 };
    for (const { opening, all } of places) {
      most.opening = Math.max(most.opening, opening);
      most.all = Math.max(most.all, all);
    }
    const lag = LONGEST_LAG[balance];
    let first = 0;
    let least: readonly number[] | undefined;
    for (const [at, taken] of places.entries()) {
      taken.opening = Math.max(taken.opening, most.opening - lag);
      taken.all = Math.max(taken.all, most.all - lag);
      const rank = [
        balance === 'least-connections' ? this.#countOf(candidates[at] ?? '') : 0,
        turn === 'opening' ? taken.opening : 0,
        taken.all,
        taken.last,
      ];
      if (least && !isLess(rank, least)) continue;
      first = at;
      least = rank;
    }
    const chosen = places[first];
    if (chosen) {
      if (turn === 'opening') chosen.opening += 1;
      chosen.all += 1;
      chosen.last = this.#choices += 1;
    }
    return first;
  }

  #places(candidates: readonly string[]): Taken[] {
    return candidates.map((origin) => {
      const known = this.#taken.get(origin);
      if (known) return known;
      const taken = { opening: 0, all: 0, last: 0 };
      this.#taken.set(origin, taken);
      return taken;
    });
  }
}

function isLess(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at !== -1 && Number(one[at]) < Number(other[at]);
}

/** Functions without types may return anything. One that looks at no candidates may name a backend that is down. */
function firstOf(
  chosen: unknown,
  candidates: readonly string[],
  others: readonly string[],
): readonly string[] {
  if (isThenable(chosen)) {
    // The mistake is told below; what comes of the promise is nobody's.
    Promise.resolve(chosen).catch(() => {});
    throw invalid('returned a promise; it must return the origin itself, without async');
  }
  const all = [...candidates, ...others];
  const at = all.findIndex((origin) => origin === chosen);
  if (at === -1) throw invalid(`returned ${shown(chosen)}, which is not one of the candidates`);
  if (at < candidates.length) return [...rotate(candidates, at), ...others];
  return [...all.slice(at, at + 1), ...all.filter((_, index) => index !== at)];
}

function invalid(problem: string): SessionRoutingError {
  return new SessionRoutingError('invalid_option', `balance: ${problem}`);
}

function rotate(origins: readonly string[], first: number): readonly string[] {
  return first === 0 ? origins : [...origins.slice(first), ...origins.slice(0, first)];
}
