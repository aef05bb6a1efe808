import type { IncomingMessage } from 'node:http';
import { shown } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { isThenable } from '../store/deadline.ts';
import { checkBackend } from './origin.ts';

/** The request that a backend is chosen for. */
export type BalancedRequest = IncomingMessage;

/**
 * Which backend takes the next session: in turn, or as the function says.
 *
 * @example
 * balance: (candidates, req) => candidates[hashOf(req.headers['x-tenant']) % candidates.length]
 */
export type Balance =
  | 'round-robin'
  | ((candidates: readonly string[], req: BalancedRequest) => string);

/** The backends that may take new sessions, as origins. */
export class BackendList {
  readonly #origins: readonly string[];
  readonly #balance: Balance;
  #next = 0;

  /** @throws {SessionRoutingError} `invalid_option` for a backend that is no origin, or is given twice */
  constructor(backends: string | URL | readonly (string | URL)[], balance: Balance) {
    const given = typeof backends === 'string' || backends instanceof URL ? [backends] : backends;
    if (!Array.isArray(given) || given.length === 0) {
      throw new SessionRoutingError(
        'invalid_option',
        'backends: must be an origin or a list of at least one; leave it out to use the target of the proxy',
      );
    }
    this.#origins = given.map(checkBackend);
    const twice = this.#origins.find((origin, index) => this.#origins.indexOf(origin) !== index);
    if (twice !== undefined) {
      throw new SessionRoutingError('invalid_option', `backends: ${twice} is given twice`);
    }
    this.#balance = balance;
  }

  has(origin: string): boolean {
    return this.#origins.includes(origin);
  }

  /** The backend for a request that belongs to no session, and after it those to try if it refuses. */
  choose(req: BalancedRequest): readonly string[] {
    const origins = this.#origins;
    if (this.#balance === 'round-robin') {
      const first = this.#next;
      this.#next = (first + 1) % origins.length;
      return rotate(origins, first);
    }
    const chosen: unknown = this.#balance(origins, req);
    if (isThenable(chosen)) {
      // The mistake is told below; what comes of the promise is nobody's.
      Promise.resolve(chosen).catch(() => {});
      throw invalid('returned a promise; it must return the origin itself, without async');
    }
    const first = origins.findIndex((origin) => origin === chosen);
    if (first === -1) {
      throw invalid(`returned ${shown(chosen)}, which is not one of the candidates`);
    }
    return rotate(origins, first);
  }
}

function invalid(problem: string): SessionRoutingError {
  return new SessionRoutingError('invalid_option', `balance: ${problem}`);
}

function rotate(origins: readonly string[], first: number): readonly string[] {
  return first === 0 ? origins : [...origins.slice(first), ...origins.slice(0, first)];
}
