import type { BalancedRequest } from '../backends/balance.ts';
import { originOf } from '../backends/origin.ts';
import type { Reason } from '../protocol/reasons.ts';
import { BACKEND_ID, BACKEND_URL, type SessionRecord } from '../store/record.ts';
import type { SessionDirectory } from '../store/session-directory.ts';
import type { Asked } from './answer.ts';
import type { Endings } from './endings.ts';
import type { Places } from './places.ts';
import type { Recovery } from './recovery.ts';
import type { Destination, NamedSession, PinnedRoute, Stop } from './route.ts';

/** How a connection failed: nobody listens there, or nobody answers. */
export type ConnectFailure = 'refused' | 'unreachable';

/** What an answer's body has told. */
export type InspectedAnswer =
  | { readonly kind: 'pass' }
  /** The session goes on elsewhere, and the request was not executed: it may be sent there. */
  | { readonly kind: 'resend'; readonly url: string }
  | { readonly kind: 'refuse'; readonly reason: Reason };

export interface LossesOptions {
  readonly directory: SessionDirectory;
  readonly places: Places;
  readonly endings: Endings;
  /** `undefined`: lost sessions are over. */
  readonly recovery: Recovery | undefined;
}

/** What becomes of requests of sessions whose backend is lost. */
export class Losses {
  readonly #options: LossesOptions;

  constructor(options: LossesOptions) {
    this.#options = options;
  }

  /**
   * The backend is not one of the list (D8). That may be older than the session: it is asked for anew before the
   * session is given up.
   */
  async unlisted(
    session: NamedSession,
    record: SessionRecord,
    req: BalancedRequest,
  ): Promise<PinnedRoute | Stop> {
    const { places } = this.#options;
    const refreshed = await places.backends?.refreshed();
    const route = places.pinned(session, record);
    if (route) return route;
    const mayCome = refreshed === false || this.#mayBeListedYet(record);
    if (mayCome && req.method !== 'DELETE')
      return { kind: 'refuse', reason: 'backend_unreachable' };
    return this.#lose(session, record, req, 'session_ended');
  }

  /** A replica may be asked by clients before the others hear of it. */
  #mayBeListedYet(record: SessionRecord): boolean {
    const { places } = this.#options;
    const origin = originOf(record[BACKEND_URL]);
    if (places.self === undefined || origin === undefined || places.lists(origin)) return false;
    places.healthOf(origin).failed();
    return !places.isGivenUp(origin);
  }

  /** No connection could be made, and so no byte was sent (D2, D3, C3). */
  async unconnected(
    route: PinnedRoute,
    origin: string,
    failure: ConnectFailure,
    req: BalancedRequest,
  ): Promise<Destination> {
    const { places } = this.#options;
    const removed = places.backends && !places.backends.find(origin, route.record[BACKEND_ID]);
    const out = removed === true || places.isGivenUp(origin);
    const lost = failure === 'refused' || out || req.method === 'DELETE';
    if (!lost) return { kind: 'refuse', reason: 'backend_unreachable' };
    const next = await this.#lose(route, route.record, req, 'session_lost');
    if (next.kind !== 'pinned') return next;
    // Moved, but not away: another gateway keeps the session, so it is not for this one to give up.
    const stays =
      originOf(next.backendUrl) === origin && next.backendSession === route.backendSession;
    if (next.backendUrl === undefined || stays) {
      return { kind: 'refuse', reason: 'backend_unreachable' };
    }
    return follow(route, next.backendUrl, next);
  }

  /**
   * The request was broken off after it was sent (D4), and is not sent again. That alone says little of the session;
   * that its backend has been out for `lostAfter` says that it is lost.
   */
  async brokenOff(route: PinnedRoute, origin: string, req: BalancedRequest): Promise<Stop> {
    if (this.#options.places.isGivenUp(origin)) {
      const next = await this.#lose(route, route.record, req, 'session_lost');
      if (next.kind !== 'pinned') return next;
    }
    return { kind: 'refuse', reason: 'upstream_failed' };
  }

  /**
   * Where its owner should be is another process: the session is over. That says nothing of the place itself, and is
   * said by whoever has sent the request. `undefined`: it has been moved meanwhile.
   */
  async astray(route: PinnedRoute, req: BalancedRequest): Promise<Stop | undefined> {
    const next = await this.#lose(route, route.record, req, 'session_lost');
    return next.kind === 'pinned' ? undefined : next;
  }

  /** Reads the body of an answer that may tell of a lost session (C4, C5). */
  async inspect(
    route: PinnedRoute,
    asked: Asked,
    answer: { readonly status: number; readonly body: string },
    req: BalancedRequest,
  ): Promise<InspectedAnswer> {
    const { directory, endings, recovery } = this.#options;
    const judgement = endings.judge(route, asked, answer.status, answer.body);
    if (judgement === 'live') return { kind: 'pass' };
    const recovered = await recovery?.recover(route, route.record, req);
    if (recovered?.kind === 'pinned' && recovered.backendUrl !== undefined) {
      follow(route, recovered.backendUrl, recovered);
      return { kind: 'resend', url: recovered.backendUrl };
    }
    if (recovered?.kind === 'refuse') return recovered;
    const { kind } = await directory.endUnlessMoved(route.key, route.record, 'forgotten');
    const lost = judgement === 'lost' && kind === 'ended';
    return lost ? { kind: 'refuse', reason: 'session_lost' } : { kind: 'pass' };
  }

  /** A session whose backend seems lost goes on elsewhere, or ends. */
  async #lose(
    session: NamedSession,
    record: SessionRecord,
    req: BalancedRequest,
    reason: 'session_ended' | 'session_lost',
  ): Promise<PinnedRoute | Stop> {
    const { endings, recovery } = this.#options;
    if (session.task) return endings.endOrFollow(session, record, req.method, 'task_lost');
    const recovered = await recovery?.recover(session, record, req);
    const next = recovered ?? (await endings.endOrFollow(session, record, req.method, reason));
    if (next.kind === 'pinned') next.recovered = true;
    return next;
  }
}

/** The request goes where its session has gone. */
function follow(route: PinnedRoute, url: string, to: PinnedRoute): Destination {
  route.record = to.record;
  route.backendUrl = url;
  route.backendSession = to.backendSession;
  route.recovered = true;
  return { kind: 'backend', url };
}
