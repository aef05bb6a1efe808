import { SessionRoutingError } from '../protocol/errors.ts';
import type { BackendInfo } from './backend.ts';
import type { Backends } from './backends.ts';
import type { Traffic } from './traffic.ts';

/**
 * The backends as this process sees them: `sessions.backends`. A fleet of gateways drains a backend by its
 * discovery (`draining: true`), which all of them read.
 */
export interface BackendsControl {
  list(): BackendInfo[];
  /**
   * From now on the backend takes no new sessions from this process; those it has live on.
   * @throws {SessionRoutingError} `invalid_option` if it is not one of `backends`
   */
  drain(url: string | URL): void;
  /** It takes new sessions again, unless the discovery says that it is draining. @throws as `drain` */
  undrain(url: string | URL): void;
  /**
   * Resolves to `true` as soon as this process has no request and no stream open to the backend, to `false` if that
   * takes longer than `timeout` milliseconds. @default timeout 30_000
   */
  drained(url: string | URL, options?: { readonly timeout?: number }): Promise<boolean>;
}

/** How long `drained` waits (ms). */
const DRAINED_TIMEOUT = 30_000;

export function controlOf(backends: Backends | undefined, traffic: Traffic): BackendsControl {
  function listed(): Backends {
    if (backends) return backends;
    throw new SessionRoutingError(
      'invalid_option',
      'backends: none are given, so there is nothing to drain; pass the option "backends"',
    );
  }

  return {
    list: () => backends?.list() ?? [],
    drain: (url) => listed().drain(url, true),
    undrain: (url) => listed().drain(url, false),
    async drained(url, { timeout = DRAINED_TIMEOUT } = {}) {
      return traffic.idle(listed().get(url).url, timeout);
    },
  };
}
