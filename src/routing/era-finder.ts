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

  /** The backend has refused a request. One that has just served another is refused for what it asks, not for its era. */
  refused(route: OpenRoute, status: number, body: string): void {
    const origin = originOf(route.backendUrl) ?? '';
    if (route.modern && this.#options.backends?.hasJustServed(origin)) return;
    this.#learn(route, route.modern ? erasOfAnswer(status, body) : erasOfInitialize(body));
  }

  /**
   * A client of 2026-07-28 is here: whoever has refused one some time ago is asked, beside its request. If it asks
   * for the era itself (`discovers`), so is whoever is not known: then the promise resolves when they have told, if
   * its request has to wait for that, since no server is known that takes it.
   */
  ask(path: string, req: BalancedRequest, discovers: boolean): Promise<unknown> | undefined {
    const { backends } = this.#options;
    if (!backends) return undefined;
    const { asking } = backends.eras;
    for (const origin of backends.unsettled(discovers)) {
      if (!asking.has(origin)) asking.set(origin, this.#ask(origin, path, req));
    }
    const waits = discovers && asking.size > 0 && !backends.hasModern;
    return waits ? Promise.all(asking.values()) : undefined;
  }

  async #ask(origin: string, path: string, req: BalancedRequest): Promise<void> {
    const { backends, ask } = this.#options;
    const speaks = await ask(origin, path, req);
    backends?.eras.asking.delete(origin);
    if (Object.keys(speaks).length > 0) backends?.learnEras(origin, speaks);
  }

  #learn(route: OpenRoute, speaks: SpokenEras): void {
    const origin = originOf(route.backendUrl);
    const told = Object.keys(speaks).length > 0;
    if (origin !== undefined && told) this.#options.backends?.learnEras(origin, speaks);
  }
}
