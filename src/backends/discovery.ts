import type { Awaitable } from '../store/session-store.ts';

/** A backend, as a list, a function or a discovery names it. */
export interface BackendEntry {
  /** Its origin (`http://host:port`). */
  readonly url: string | URL;
  /** Names the instance, a pod's UID for instance: the same URL with another id is another backend. */
  readonly id?: string;
  /** It takes no new sessions; those it has live on. @default false */
  readonly draining?: boolean;
}

/** Where the backends are found, asked again and again. */
export interface BackendDiscovery {
  /** The backends as they are now. A failure keeps those that were found last. */
  list(): Awaitable<readonly (string | URL | BackendEntry)[]>;
  /** Milliseconds between two questions. @default 1000 */
  readonly refresh?: number;
}
