import type { Awaitable } from '../store/session-store.ts';
import type { BackendEra } from './eras.ts';

/** A backend, as a list, a function or a discovery names it. */
export interface BackendEntry {
  /** Its origin (`http://host:port`). */
  readonly url: string | URL;
  /** Names the instance, a pod's UID for instance: the same URL with another id is another backend. */
  readonly id?: string;
  /** It takes no new sessions; those it has live on. @default false */
  readonly draining?: boolean;
  /**
   * `modern`: it speaks MCP 2026-07-28 or later, without sessions; `legacy`: what was before, with `initialize`.
   * @default it is found out
   */
  readonly era?: BackendEra;
}

/** Where the backends are found, asked again and again. */
export interface BackendDiscovery {
  /** The backends as they are now. A failure keeps those that were found last. */
  list(): Awaitable<readonly (string | URL | BackendEntry)[]>;
  /** Milliseconds between two questions. @default 1000 */
  readonly refresh?: number;
}

/** What the option `backends` takes. A function is asked once a second. */
export type BackendSource =
  | string
  | URL
  | BackendEntry
  | readonly (string | URL | BackendEntry)[]
  | (() => Awaitable<readonly (string | URL | BackendEntry)[]>)
  | BackendDiscovery;
