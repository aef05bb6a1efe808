import type { Turn } from '../backends/balance.ts';
import type { Reason } from '../protocol/reasons.ts';
import type { SessionRecord } from '../store/record.ts';

/** The state of one request on its way to a backend. */
export type Route = OpenRoute | PinnedRoute;

/** A request that belongs to no session. */
export interface OpenRoute {
  readonly kind: 'open';
  /** Its answer may start a session. */
  readonly opening: boolean;
  readonly turn: Turn;
  /** It asks for an event stream, which may be one of HTTP+SSE. */
  readonly stream?: boolean;
  /** It is of a revision without sessions (2026-07-28 or later). */
  readonly modern?: boolean;
  /** Its answer may create a task, which its owner has to be asked for. */
  readonly createsTask?: boolean;
  /** Where it goes, known when a proxy has asked for it: an origin, with a path only where the proxy's target has one. */
  backendUrl: string | undefined;
  /** Which instance of the backend that is, if the list of backends tells. */
  backendId?: string | undefined;
  /** It goes to a place that the app has chosen and that no record could name: it cannot open a session. */
  nameless?: boolean;
  /** The owner of a task of somebody else, to whom the request must not go: it is as good as any unknown one elsewhere. */
  avoids?: string | undefined;
  /** Backends to try if that one cannot be reached. */
  alternatives: readonly string[];
}

/** Until it is known where a request belongs. */
export const NO_ROUTE: OpenRoute = Object.freeze({
  kind: 'open',
  opening: false,
  turn: 'other',
  backendUrl: undefined,
  alternatives: [],
});

/** A session as a request names it. */
export interface NamedSession {
  /** SHA-256 of the session id, hex. */
  readonly key: string;
  /** The id itself: never to be stored, logged, or told. */
  readonly id: string;
  /** It is no session but a task (SEP-2663), which is pinned in the same way. */
  readonly task?: boolean | undefined;
}

/** A request of a session. */
export interface PinnedRoute extends NamedSession {
  readonly kind: 'pinned';
  record: SessionRecord;
  /** The session's backend, as it is recorded; `undefined`: the proxy's own target, or a handler of the app. */
  backendUrl: string | undefined;
  /** The id by which the backend knows a session that was recovered; `undefined`: by the same one. */
  backendSession: string | undefined;
  /** It was found to be lost with its backend by this request, and goes on elsewhere. */
  recovered?: boolean;
}

/** Where a request goes. */
export type Destination =
  | { readonly kind: 'backend'; readonly url: string }
  /** The `target` of the proxy, or this process itself. */
  | { readonly kind: 'default' }
  | Stop;

/** Why a request goes nowhere. */
export type Stop =
  | { readonly kind: 'refuse'; readonly reason: Reason }
  /** A session that was to be deleted is gone with its backend: 204. */
  | { readonly kind: 'deleted' };
