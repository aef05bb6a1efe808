import type { Entry } from './entries.ts';
import type { BackendEra } from './eras.ts';
import type { Health } from './health.ts';
import type { Traffic } from './traffic.ts';

/** A backend as `sessions.backends.list()` tells it. */
export interface BackendInfo {
  /** Its origin. */
  readonly url: string;
  /** The instance, if it has a name. */
  readonly id: string | undefined;
  /** `down`: it takes no new sessions until a connection, or a probe, succeeds. `draining`: it is to take none. */
  readonly state: 'up' | 'down' | 'draining';
  /** Requests of this process that it has not answered to the end. */
  readonly requests: number;
  /** Event streams (GET) of this process to it. */
  readonly streams: number;
  /** Sessions that it has opened through this process. */
  readonly opened: number;
}

/** One instance of a backend: another id at the same URL is another one. */
export class Backend {
  readonly url: string;
  readonly health: Health;
  /** An operator of this process drains it. */
  drained = false;
  opened = 0;
  #entry: Entry;

  constructor(entry: Entry, health: Health) {
    this.url = entry.url;
    this.health = health;
    this.#entry = entry;
  }

  get id(): string | undefined {
    return this.#entry.id;
  }

  get draining(): boolean {
    return this.drained || this.#entry.draining;
  }

  get era(): BackendEra | undefined {
    return this.#entry.era;
  }

  /** Whether the id names this instance; where one of the two has no name nothing speaks against it. */
  is(id: string | undefined): boolean {
    return id === undefined || this.id === undefined || id === this.id;
  }

  /** It was named again. */
  update(entry: Entry): void {
    this.#entry = { ...entry, id: entry.id ?? this.id };
  }

  info(traffic: Traffic): BackendInfo {
    const state = this.draining ? 'draining' : 'up';
    return {
      url: this.url,
      id: this.id,
      state: this.health.isUp ? state : 'down',
      ...traffic.load(this.url),
      opened: this.opened,
    };
  }
}

/**
 * The backends in the order of preference, those that are as good as each other together: up before down, and those
 * that are draining last, since a session that they open will soon be lost.
 */
export function tiersOf(backends: Iterable<Backend>): readonly (readonly string[])[] {
  const tiers: string[][] = [[], [], [], []];
  for (const { url, draining, health } of backends) {
    tiers[(draining ? 2 : 0) + (health.isUp ? 0 : 1)]?.push(url);
  }
  return tiers.filter((tier) => tier.length > 0);
}
