import type { BalancedRequest } from '../backends/balance.ts';
import { originOf } from '../backends/origin.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import type { SessionDirectory } from '../store/session-directory.ts';
import { planAnswer, type AnswerHead, type AnswerPlan, type Asked } from './answer.ts';
import { Endings, type LostSession } from './endings.ts';
import type { EraFinder } from './era-finder.ts';
import { keyOf } from './keys.ts';
import { Losses, type ConnectFailure, type InspectedAnswer } from './losses.ts';
import type { Places } from './places.ts';
import { Recording } from './recording.ts';
import type { Recovery } from './recovery.ts';
import { isServedHere } from './replicas.ts';
import type { Destination, OpenRoute, PinnedRoute, Route, Stop } from './route.ts';
import { SessionFinder } from './session-finder.ts';

export interface SessionRoutingOptions {
  readonly directory: SessionDirectory;
  readonly places: Places;
  /** `undefined`: lost sessions are over. */
  readonly recovery: Recovery | undefined;
  readonly eraFinder: EraFinder;
  /** `undefined`: the two answers that are known. */
  readonly lostSession: LostSession | undefined;
  readonly onOpened: (key: string, backendUrl: string | undefined) => void;
}

/** Where requests go, what is remembered of their answers, and when a session is over. Knows no HTTP objects. */
export class SessionRouting {
  readonly directory: SessionDirectory;
  readonly endings: Endings;
  readonly recording: Recording;
  readonly eraFinder: EraFinder;
  readonly finder: SessionFinder;
  readonly #places: Places;
  readonly #losses: Losses;
  #stopping = false;

  constructor(options: SessionRoutingOptions) {
    this.#places = options.places;
    this.directory = options.directory;
    this.eraFinder = options.eraFinder;
    this.endings = new Endings(options);
    this.#losses = new Losses({ ...options, endings: this.endings });
    this.recording = new Recording(options);
    this.finder = new SessionFinder(options.directory, options.places, this.#losses);
  }

  /** From now on nothing is begun that would outlast this process: no session, and no event stream. */
  stopOpening(): void {
    this.#stopping = true;
  }

  /** Whether the session's backend is still one of the list. */
  hasOwner({ record }: PinnedRoute): boolean {
    return this.#places.ownerOf(record) !== undefined;
  }

  /** Whether this process stops, and the request would begin what outlasts it. */
  refusesToBegin(route: Route, method: string | undefined): boolean {
    return this.#stopping && beginsSomething(route, method);
  }

  /** Where the request goes first. For a request without a session this is where a backend is chosen. */
  destination(route: Route, req: BalancedRequest): Destination {
    if (this.refusesToBegin(route, req.method)) return { kind: 'refuse', reason: 'shutting_down' };
    const { backends } = this.#places;
    const { backendUrl: url } = route;
    const { self } = this.#places;
    if (self !== undefined && isServedHere(route, self)) return this.#serve(route, self);
    if (route.kind === 'pinned') {
      if (url !== undefined) return { kind: 'backend', url };
      return backends ? { kind: 'refuse', reason: 'session_ended' } : { kind: 'default' };
    }
    const { avoids } = route;
    if (!backends) return avoids ? { kind: 'refuse', reason: 'task_lost' } : { kind: 'default' };
    if (url !== undefined) return { kind: 'backend', url };
    const chosen = backends.choose(req, route.turn, route.modern ? 'modern' : 'legacy');
    const [first, ...alternatives] = avoids ? chosen.filter((each) => each !== avoids) : chosen;
    if (first === undefined) return { kind: 'refuse', reason: avoids ? 'task_lost' : 'no_backend' };
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
    req: BalancedRequest,
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
    return this.#losses.unconnected(route, origin, failure, req);
  }

  /** Another replica has sent the request here, to the owner of its session, and this is not the owner. */
  async astray(route: Route, req: BalancedRequest): Promise<Stop> {
    const next = route.kind === 'pinned' ? await this.#losses.astray(route, req) : undefined;
    return next ?? { kind: 'refuse', reason: 'backend_unreachable' };
  }

  /** What becomes of a request that has broken off after it was sent (D4): it is not sent again. */
  async brokenOff(route: Route, origin: string, req: BalancedRequest): Promise<Stop> {
    this.#places.healthOf(origin).suspect();
    if (route.kind === 'pinned') return this.#losses.brokenOff(route, origin, req);
    return { kind: 'refuse', reason: 'upstream_failed' };
  }

  /** Reads the body of an answer that may tell of a lost session (C4, C5). */
  inspect(
    route: PinnedRoute,
    asked: Asked,
    answer: { readonly status: number; readonly body: string },
    req: BalancedRequest,
  ): Promise<InspectedAnswer> {
    return this.#losses.inspect(route, asked, answer, req);
  }

  /** A connection to the backend was made. */
  reached(origin: string): void {
    this.#places.healthOf(origin).connected();
  }

  planAnswer(route: Route, asked: Asked, head: AnswerHead): AnswerPlan {
    const hears = route.kind === 'open' && this.eraFinder.hears(route);
    return planAnswer(route, asked, head, keyOf, (status) => this.endings.inspects(status), hears);
  }

  /** What this process opens is recorded as its own. */
  #serve(route: Route, self: string): Destination {
    if (route.kind === 'open') {
      if (route.avoids === self) return { kind: 'refuse', reason: 'task_lost' };
      route.backendUrl = self;
      route.backendId = this.#places.backends?.find(self)?.id;
    }
    return { kind: 'default' };
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
