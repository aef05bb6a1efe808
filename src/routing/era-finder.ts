import type { Backends } from '../backends/backends.ts';
import type { BalancedRequest } from '../backends/balance.ts';
import { originOf } from '../backends/origin.ts';
import { erasOfAnswer, erasOfInitialize, type SpokenEras } from '../protocol/era.ts';
import type { OpenRoute } from './route.ts';

export interface EraFinderOptions {
  readonly backends: Backends | undefined;
  /** Asks a backend in the name of a request; does not fail. */
  readonly ask: (origin: string, path: string, req: BalancedRequest) => Promise<SpokenEras>;
}

/** Finds out which backends speak to which clients: from their answers, and by asking those that have refused. */
export class EraFinder {
  readonly #options: EraFinderOptions;
  readonly #asking = new Map<string, Promise<void>>();

  constructor(options: EraFinderOptions) {
    this.#options = options;
  }

  /** Whether the answer to this request may tell; without a list of backends there is no choice to be made. */
  hears(route: OpenRoute): boolean {
    return this.#options.backends !== undefined && (route.modern === true || route.opening);
  }

  /** The backend has answered with success. */
  served(route: OpenRoute): void {
    if (route.modern) this.#learn(route, { modern: true });
  }

  /** The backend has refused a request. */
  refused(route: OpenRoute, status: number, body: string): void {
    this.#learn(route, route.modern ? erasOfAnswer(status, body) : erasOfInitialize(body));
  }

  /**
   * A client of 2026-07-28 is here: whoever is not known to speak it is asked. Resolves when they have told, if its
   * request has to wait for that: no server is known that takes it.
   */
  ask(path: string, req: BalancedRequest): Promise<unknown> | undefined {
    const { backends } = this.#options;
    for (const origin of backends?.unsettled() ?? []) {
      if (!this.#asking.has(origin)) this.#asking.set(origin, this.#ask(origin, path, req));
    }
    if (this.#asking.size === 0 || backends?.hasModern) return undefined;
    return Promise.all(this.#asking.values());
  }

  async #ask(origin: string, path: string, req: BalancedRequest): Promise<void> {
    const speaks = await this.#options.ask(origin, path, req);
    this.#asking.delete(origin);
    this.#options.backends?.learnEras(origin, speaks);
  }

  #learn(route: OpenRoute, speaks: SpokenEras): void {
    const origin = originOf(route.backendUrl);
    const told = Object.keys(speaks).length > 0;
    if (origin !== undefined && told) this.#options.backends?.learnEras(origin, speaks);
  }
}
