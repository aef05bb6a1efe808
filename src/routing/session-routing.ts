import { hash, randomUUID } from 'node:crypto';
import type { BackendList, BalancedRequest } from '../backends/backend-list.ts';
import { originOf } from '../backends/origin.ts';
import type { Outages } from '../backends/outages.ts';
import { isKnownLostSession, readNotFound } from '../protocol/backend-answer.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { BACKEND_URL, newRecord, type SessionRecord } from '../store/record.ts';
import type { SessionDirectory } from '../store/session-directory.ts';
import type { Awaitable } from '../store/session-store.ts';
import {
  onSessionPath,
  planAnswer,
  type AnswerHead,
  type AnswerPlan,
  type Asked,
} from './answer.ts';
import type { Destination, PinnedRoute, Route, Stop } from './route.ts';

/** Whether this answer of a backend, to a request of a session, means that it has forgotten the session. */
export type LostSession = (status: number, body: string) => boolean;

export interface SessionRoutingOptions {
  readonly directory: SessionDirectory;
  /** `undefined`: the proxy's own target. */
  readonly backends: BackendList | undefined;
  readonly outages: Outages;
  /** Milliseconds a backend may be out of reach before its sessions are given up. */
  readonly lostAfter: number;
  /** `undefined`: the two answers that are known. */
  readonly lostSession: LostSession | undefined;
  readonly onOpened: (key: string, backendUrl: string | undefined) => void;
  readonly now: () => number;
}

/** How a connection failed: nobody listens there, or nobody answers. */
export type ConnectFailure = 'refused' | 'unreachable';

/** What an answer's body has told. */
export type InspectedAnswer = 'pass' | 'session_lost';

/** The key of a session: SHA-256 of its id, hex. The id itself is kept nowhere. */
export function keyOf(sessionId: string): string {
  return hash('sha256', sessionId, 'hex');
}

/** Where requests go, what is remembered of their answers, and when a session is over. Knows no HTTP objects. */
export class SessionRouting {
  readonly #options: SessionRoutingOptions;
  readonly directory: SessionDirectory;

  constructor(options: SessionRoutingOptions) {
    this.#options = options;
    this.directory = options.directory;
  }

  /** The route of a request of a live session, unless its backend is not (any more) one of the list (D8). */
  pin(
    key: string,
    record: SessionRecord,
    method: string | undefined,
  ): Awaitable<PinnedRoute | Stop> {
    const backend = this.#backendOf(record);
    return backend
      ? { kind: 'pinned', key, record, backendUrl: backend.url }
      : this.#endOrFollow(key, record, method, 'session_ended');
  }

  /** Where the request goes first. For a request without a session this is where a backend is chosen. */
  destination(route: Route, req: BalancedRequest): Destination {
    const { backends } = this.#options;
    const { backendUrl: url } = route;
    if (route.kind === 'pinned') {
      if (url !== undefined) return { kind: 'backend', url };
      return backends ? { kind: 'refuse', reason: 'session_ended' } : { kind: 'default' };
    }
    if (!backends) return { kind: 'default' };
    if (url !== undefined) return { kind: 'backend', url };
    const [first, ...alternatives] = backends.choose(req);
    if (first === undefined) return { kind: 'refuse', reason: 'no_backend' };
    route.backendUrl = first;
    route.alternatives = alternatives;
    return { kind: 'backend', url: first };
  }

  /**
   * A router of the app has chosen where a request without a session goes.
   * @throws {SessionRoutingError} `invalid_option` if that is none of `backends`: what opens there would be refused
   */
  chosen(route: Route, url: string | undefined): void {
    const { backends } = this.#options;
    if (route.kind === 'pinned') return;
    if (backends && !backends.has(originOf(url) ?? '')) {
      throw new SessionRoutingError(
        'invalid_option',
        'router: what it returned is not one of `backends`; add it there, or leave `backends` out',
      );
    }
    route.backendUrl = url;
    route.nameless = url === undefined;
  }

  /** A proxy sends the request there, be it on its own account. */
  sent(route: Route, url: string | undefined): void {
    if (route.kind === 'open' && !route.nameless) route.backendUrl = url;
  }

  /** Where the request goes after no connection could be made, and so no byte of it was sent (D1 to D3, C3). */
  async connectFailed(
    route: Route,
    origin: string,
    failure: ConnectFailure,
    method: string | undefined,
  ): Promise<Destination> {
    const { outages, lostAfter, now } = this.#options;
    const outFor = outages.failed(origin, now());
    if (route.kind === 'open') {
      const [next, ...alternatives] = route.alternatives;
      if (next === undefined) return { kind: 'refuse', reason: 'no_backend' };
      route.backendUrl = next;
      route.alternatives = alternatives;
      return { kind: 'backend', url: next };
    }
    const lost = failure === 'refused' || outFor >= lostAfter || method === 'DELETE';
    if (!lost) return { kind: 'refuse', reason: 'backend_unreachable' };
    const next = await this.#endOrFollow(route.key, route.record, method, 'session_lost');
    if (next.kind !== 'pinned') return next;
    // Moved, but not away: another gateway keeps the session, so it is not for this one to give up.
    if (next.backendUrl === undefined || originOf(next.backendUrl) === origin) {
      return { kind: 'refuse', reason: 'backend_unreachable' };
    }
    route.record = next.record;
    route.backendUrl = next.backendUrl;
    return { kind: 'backend', url: next.backendUrl };
  }

  /** A connection to the backend was made, or it has answered. */
  reached(origin: string): void {
    this.#options.outages.reached(origin);
  }

  planAnswer(route: Route, asked: Asked, head: AnswerHead): AnswerPlan {
    const { lostSession } = this.#options;
    return planAnswer(route, asked, head, keyOf, (status) =>
      lostSession ? status >= 400 : status === 400,
    );
  }

  /**
   * Stores the session that an answer opens (B1, B5).
   * @throws {SessionRoutingError} `store_unavailable`
   */
  async record(route: Route, sessionId: string, asked: Asked): Promise<'created' | 'conflict'> {
    if (route.kind === 'open' && route.nameless) return 'conflict';
    const key = keyOf(sessionId);
    const { backendUrl } = route;
    const record = newRecord({ key, nonce: randomUUID(), backendUrl, path: asked.path });
    const outcome = await this.directory.create(key, record);
    if (outcome === 'created') this.#options.onOpened(key, backendUrl);
    return outcome;
  }

  /** Ends the session of a DELETE that its backend has carried out (C1). */
  async deleted(route: PinnedRoute): Promise<void> {
    const { kind } = await this.directory.end(route.key, route.record);
    // The backend has ended it, whatever the store says: this gateway at least remembers.
    if (kind === 'unavailable') this.directory.forget(route.key);
  }

  /** Reads the body of an answer that may tell of a lost session (C4, C5). */
  async inspect(
    route: PinnedRoute,
    asked: Asked,
    status: number,
    body: string,
  ): Promise<InspectedAnswer> {
    const lostSession = this.#options.lostSession ?? isKnownLostSession;
    const lost = lostSession(status, body);
    const over =
      lost || (status === 404 && onSessionPath(route, asked) && readNotFound(body) === 'session');
    if (!over) return 'pass';
    const { kind } = await this.directory.endUnlessMoved(route.key, route.record);
    return lost && kind === 'ended' ? 'session_lost' : 'pass';
  }

  async #endOrFollow(
    key: string,
    record: SessionRecord,
    method: string | undefined,
    reason: 'session_ended' | 'session_lost',
  ): Promise<PinnedRoute | Stop> {
    const result = await this.directory.endUnlessMoved(key, record);
    if (result.kind === 'moved') {
      const { record: moved } = result;
      const backend = this.#backendOf(moved);
      if (backend) return { kind: 'pinned', key, record: moved, backendUrl: backend.url };
      await this.directory.end(key, result.record);
    }
    if (result.kind === 'unavailable') return { kind: 'refuse', reason: 'store_unavailable' };
    return method === 'DELETE' ? { kind: 'deleted' } : { kind: 'refuse', reason };
  }

  /** With `backends` a record names one of them, whatever else it says; otherwise the URL is believed as it stands. */
  #backendOf(record: SessionRecord): { readonly url: string | undefined } | undefined {
    const { backends } = this.#options;
    const url = record[BACKEND_URL];
    const origin = originOf(url);
    if (origin === undefined || !backends) return { url: origin && url };
    return backends.has(origin) ? { url: origin } : undefined;
  }
}
