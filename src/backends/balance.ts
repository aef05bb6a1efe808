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

/**
 * Whose turn it is. What may open a session has turns of its own: clients that ask something else before each
 * `initialize` would otherwise take every second turn, and one of two backends would get all sessions.
 */
export type Turn = 'opening' | 'other';

/** Puts candidates in the order in which they are tried. */
export class Balancer {
  readonly #balance: Balance;
  readonly #countOf: (origin: string) => number;
  readonly #turns: Record<Turn, number> = { opening: 0, other: 0 };

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
    const first = this.#turns[turn] % candidates.length;
    this.#turns[turn] = first + 1;
    let ordered = rotate(candidates, first);
    if (balance === 'least-connections') {
      ordered = ordered.toSorted((one, other) => this.#countOf(one) - this.#countOf(other));
    }
    return others.length === 0 ? ordered : [...ordered, ...others];
  }
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
