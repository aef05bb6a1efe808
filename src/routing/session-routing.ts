import { hash, randomUUID } from 'node:crypto';
import type { BalancedRequest } from '../backends/balance.ts';
import { originOf } from '../backends/origin.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { BACKEND_ID, newRecord, type SessionRecord } from '../store/record.ts';
import type { SessionDirectory } from '../store/session-directory.ts';
import type { Awaitable } from '../store/session-store.ts';
import { planAnswer, type AnswerHead, type AnswerPlan, type Asked } from './answer.ts';
import { Endings, type LostSession } from './endings.ts';
import { Places, type PlacesOptions } from './places.ts';
import type { Destination, OpenRoute, PinnedRoute, Route, Stop } from './route.ts';

export interface SessionRoutingOptions extends PlacesOptions {
  readonly directory: SessionDirectory;
  /** `undefined`: the two answers that are known. */
  readonly lostSession: LostSession | undefined;
  readonly onOpened: (key: string, backendUrl: string | undefined) => void;
}

/** How a connection failed: nobody listens there, or nobody answers. */
export type ConnectFailure = 'refused' | 'unreachable';

/** The key of a session: SHA-256 of its id, hex. The id itself is kept nowhere. */
export function keyOf(sessionId: string): string {
  return hash('sha256', sessionId, 'hex');
}

/** Where requests go, what is remembered of their answers, and when a session is over. Knows no HTTP objects. */
export class SessionRouting {
  readonly directory: SessionDirectory;
  readonly endings: Endings;
  readonly #places: Places;
  readonly #onOpened: SessionRoutingOptions['onOpened'];
  #stopping = false;

  constructor(options: SessionRoutingOptions) {
    this.#places = new Places(options);
    this.directory = options.directory;
    this.endings = new Endings({ ...options, places: this.#places });
    this.#onOpened = options.onOpened;
  }

  /** From now on nothing is begun that would outlast this process: no session, and no event stream. */
  stopOpening(): void {
    this.#stopping = true;
  }

  /** The route of a request of a live session, unless its backend is not (any more) one of the list (D8). */
  pin(
    key: string,
    record: SessionRecord,
    method: string | undefined,
  ): Awaitable<PinnedRoute | Stop> {
    const backend = this.#places.ownerOf(record);
    return backend
      ? { kind: 'pinned', key, record, backendUrl: backend.url }
      : this.#pinUnlisted(key, record, method);
  }

  /** The list may be older than the session: it is asked for anew before the session is given up. */
  async #pinUnlisted(
    key: string,
    record: SessionRecord,
    method: string | undefined,
  ): Promise<PinnedRoute | Stop> {
    const refreshed = await this.#places.backends?.refreshed();
    const backend = this.#places.ownerOf(record);
    if (backend) return { kind: 'pinned', key, record, backendUrl: backend.url };
    if (refreshed === false && method !== 'DELETE')
      return { kind: 'refuse', reason: 'backend_unreachable' };
    return this.endings.endOrFollow(key, record, method, 'session_ended');
  }

  /** Where the request goes first. For a request without a session this is where a backend is chosen. */
  destination(route: Route, req: BalancedRequest): Destination {
    if (this.#stopping && beginsSomething(route, req.method))
      return { kind: 'refuse', reason: 'shutting_down' };
    const { backends } = this.#places;
    const { backendUrl: url } = route;
    if (route.kind === 'pinned') {
      if (url !== undefined) return { kind: 'backend', url };
      return backends ? { kind: 'refuse', reason: 'session_ended' } : { kind: 'default' };
    }
    if (!backends) return { kind: 'default' };
    if (url !== undefined) return { kind: 'backend', url };
    const [first, ...alternatives] = backends.choose(req, route.turn);
    if (first === undefined) return { kind: 'refuse', reason: 'no_backend' };
    return this.#choose(route, first, alternatives);
  }

  /**
   * A router of the app has chosen where a request without a session goes.
   * @throws {SessionRoutingError} `invalid_option` if that is none of `backends`: what opens there would be refused
   */
  chosen(route: Route, url: string | undefined): void {
    const { backends } = this.#places;
    if (route.kind === 'pinned') return;
    const backend = backends?.find(originOf(url) ?? '');
    if (backends && !backend) {
      throw new SessionRoutingError(
        'invalid_option',
        'router: what it returned is not one of `backends`; add it there, or leave `backends` out',
      );
    }
    route.backendUrl = url;
    route.backendId = backend?.id;
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
    const { backends } = this.#places;
    this.#places.healthOf(origin).failed();
    if (route.kind === 'open') {
      const { alternatives } = route;
      const at = alternatives.findIndex((url) => backends?.find(url));
      const next = alternatives[at];
      if (next === undefined) return { kind: 'refuse', reason: 'no_backend' };
      return this.#choose(route, next, alternatives.slice(at + 1));
    }
    const removed = backends !== undefined && !backends.find(origin, route.record[BACKEND_ID]);
    const out = removed || this.#places.isGivenUp(origin);
    const lost = failure === 'refused' || out || method === 'DELETE';
    if (!lost) return { kind: 'refuse', reason: 'backend_unreachable' };
    const next = await this.endings.endOrFollow(route.key, route.record, method, 'session_lost');
    if (next.kind !== 'pinned') return next;
    // Moved, but not away: another gateway keeps the session, so it is not for this one to give up.
    if (next.backendUrl === undefined || originOf(next.backendUrl) === origin) {
      return { kind: 'refuse', reason: 'backend_unreachable' };
    }
    route.record = next.record;
    route.backendUrl = next.backendUrl;
    return { kind: 'backend', url: next.backendUrl };
  }

  /**
   * What becomes of a request that has broken off after it was sent (D4): it is not sent again. That alone says
   * little of the session; that its backend has been out for `lostAfter` says that it is lost.
   */
  async brokenOff(route: Route, origin: string, method: string | undefined): Promise<Stop> {
    this.#places.healthOf(origin).suspect();
    if (route.kind === 'pinned' && this.#places.isGivenUp(origin)) {
      const next = await this.endings.endOrFollow(route.key, route.record, method, 'session_lost');
      if (next.kind !== 'pinned') return next;
    }
    return { kind: 'refuse', reason: 'upstream_failed' };
  }

  /** A connection to the backend was made. */
  reached(origin: string): void {
    this.#places.healthOf(origin).connected();
  }

  planAnswer(route: Route, asked: Asked, head: AnswerHead): AnswerPlan {
    return planAnswer(route, asked, head, keyOf, (status) => this.endings.inspects(status));
  }

  /**
   * Stores the session that an answer opens (B1, B5).
   * @throws {SessionRoutingError} `store_unavailable`
   */
  async record(route: Route, sessionId: string, asked: Asked): Promise<'created' | 'conflict'> {
    if (route.kind === 'open' && route.nameless) return 'conflict';
    const key = keyOf(sessionId);
    const { backendUrl } = route;
    const backendId = route.kind === 'open' ? route.backendId : undefined;
    const nonce = randomUUID();
    const record = newRecord({ key, nonce, backendUrl, backendId, path: asked.path });
    const outcome = await this.directory.create(key, record);
    if (outcome === 'created') {
      const backend = this.#places.backends?.find(originOf(backendUrl) ?? '', backendId);
      if (backend) backend.opened += 1;
      this.#onOpened(key, backendUrl);
    }
    return outcome;
  }

  #choose(route: OpenRoute, url: string, alternatives: readonly string[]): Destination {
    route.backendUrl = url;
    route.backendId = this.#places.backends?.find(url)?.id;
    route.alternatives = alternatives;
    return { kind: 'backend', url };
  }
}

/** A GET of a session is a stream that would be ended at once. */
function beginsSomething(route: Route, method: string | undefined): boolean {
  return route.kind === 'open' ? route.opening : method === 'GET';
}
