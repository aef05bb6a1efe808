import type { BackendInfo } from '../backends/backend.ts';
import type { Observer } from '../observers.ts';
import type { Stats } from '../stats.ts';

/** What the page shows of a gateway, and what its buttons do. */
export interface StatusSource {
  backends(): readonly BackendStatus[];
  stats(): Stats;
  /** @throws {SessionRoutingError} `invalid_option` if it is not one of the backends */
  drain(url: string): void;
  /** @throws as `drain` */
  undrain(url: string): void;
  /** From now on it is told what happens. */
  observe(observer: Observer): void;
}

export interface BackendStatus extends BackendInfo {
  /** Whether it is to take no new sessions, which `state` does not say of one that is down. */
  readonly draining: boolean;
}
