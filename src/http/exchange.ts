import type { IncomingMessage, ServerResponse } from 'node:http';
import { originOf } from '../backends/origin.ts';
import type { Visit } from '../backends/traffic.ts';
import { readMessage } from '../protocol/message.ts';
import type { Reason } from '../protocol/reasons.ts';
import { SESSION_HEADER } from '../protocol/session-id.ts';
import type { Asked } from '../routing/answer.ts';
import type { Caller } from '../routing/caller.ts';
import { kindOf, type DecisionKind } from '../routing/kind.ts';
import type { ConnectFailure } from '../routing/losses.ts';
import {
  NO_ROUTE,
  type Destination,
  type NamedSession,
  type Route,
  type Stop,
} from '../routing/route.ts';
import type { Opening } from '../store/openings.ts';
import { DELETED, isTooLate, refusalAnswer, settleOnceAnswered, statusOf } from './answer.ts';
import type { RequestLine } from './forget-at-backend.ts';
import { prepare } from './prepare.ts';
import type { Question } from './question.ts';
import { askHandler } from './refusal-handler.ts';
import type { RequestWatch } from './request-watch.ts';
import { showRoute } from './route-header.ts';
import {
  rememberRoutedRequest,
  type Connections,
  type ParsedHeaders,
  type RoutedRequest,
} from './routed-request.ts';
import type { Surroundings } from './surroundings.ts';
import { visit } from './visit.ts';
import { WatchedAnswer } from './watched-answer.ts';

export type { RefusalHandler, RefusalInfo } from './refusal-handler.ts';

/** One request and its answer. */
export class Exchange<Req extends IncomingMessage, Res extends ServerResponse>
  implements RoutedRequest, Question
{
  readonly req: Req;
  readonly res: Res;
  readonly next: (error?: unknown) => void;
  readonly asked: Asked;
  route: Route = NO_ROUTE;
  /** How it was decided, last. */
  kind: DecisionKind | undefined;
  refusal: Reason | undefined;
  line: RequestLine | undefined;
  body: Buffer | undefined;
  caller: Caller | undefined;
  forwarded: boolean | undefined;
  /**
   * Named by the query, or a task: it is looked for when a proxy asks, since any POST of the app may have such a
   * query, or header (A14).
   */
  named: NamedSession | undefined;
  #stop: Stop | undefined;
  /** The id of the request, where it was read already. */
  rawId: string | undefined;
  readonly #around: Surroundings<Req, Res>;
  readonly #answer: WatchedAnswer;
  readonly #watch: RequestWatch | undefined;
  #visit: Visit | undefined;

  constructor(
    req: Req & { originalUrl?: string },
    res: Res,
    next: (error?: unknown) => void,
    around: Surroundings<Req, Res>,
  ) {
    this.req = req;
    this.res = res;
    this.next = next;
    this.#around = around;
    this.#answer = new WatchedAnswer(this, around);
    this.#watch = around.watch(req, res);
    if (around.debug) showRoute(res, () => this.kind);
    const url = req.originalUrl ?? req.url ?? '/';
    const query = url.indexOf('?');
    this.asked = { method: req.method, path: query === -1 ? url : url.slice(0, query) };
  }

  get opening(): Opening | undefined {
    if (this.route.kind !== 'open' || !this.body) return undefined;
    const body = this.body.toString();
    const path = this.line?.path ?? this.asked.path;
    return readMessage(body).initialize ? { path, body } : undefined;
  }

  /** Sets the way of the request and watches its answer. */
  take(route: Route): void {
    this.route = route;
    if (route.kind === 'pinned') this.#decided();
    // Where no session can begin, the app's own answers are left alone (A14): those of a proxy are watched later.
    if (route.kind === 'pinned' || (route.opening && !route.stream)) this.#answer.expect();
  }

  /** Whoever comes next has had its turn. */
  handedOn(): void {
    // The app's own `handler` answers a refusal as it likes.
    if (this.refusal === undefined) this.#answer.handedOn();
  }

  /** What a proxy is told that asks for the request. */
  stopAt(stop: Stop): void {
    this.#stop = stop;
  }

  identify(): boolean {
    const { callerOf } = this.#around;
    if (!callerOf) return true;
    this.caller ??= callerOf(this.req);
    return this.caller !== undefined;
  }

  prepare(): Promise<unknown> | undefined {
    return prepare(this, this.#around);
  }

  stops(): boolean {
    const refused = this.refusal !== undefined || this.#stop !== undefined;
    return refused || this.#around.routing.refusesToBegin(this.route, this.req.method);
  }

  destination(tells = false): Destination {
    if (this.refusal) return { kind: 'refuse', reason: this.refusal };
    if (this.#stop) return this.#stop;
    this.#answer.comes(tells);
    const { routing } = this.#around;
    const destination = routing.destination(this.route, this.req);
    if (destination.kind === 'backend') this.#goesTo(destination.url);
    else if (destination.kind === 'default') this.#goesTo(this.route.backendUrl);
    this.#callSessionByItsName();
    return destination;
  }

  async connectFailed(origin: string, failure: ConnectFailure): Promise<Destination> {
    const { routing } = this.#around;
    const next = await routing.connectFailed(this.route, origin, failure, this.req);
    if (next.kind === 'backend') this.moved(next.url);
    this.#callSessionByItsName();
    return next;
  }

  /** The backend of a session that was recovered has another name for it than the client. */
  #callSessionByItsName(): void {
    if (this.route.kind !== 'pinned' || this.route.backendSession === undefined) return;
    this.req.headers[SESSION_HEADER] = this.route.backendSession;
  }

  moved(url: string): void {
    this.#goesTo(url);
    this.#visit?.moveTo(originOf(url) ?? '');
  }

  brokenOff(origin: string): Promise<Stop> {
    return this.#around.routing.brokenOff(this.route, origin, this.req);
  }

  astray(): Promise<Stop> {
    return this.#around.routing.astray(this.route, this.req);
  }

  chosen(url: string | undefined): void {
    this.#around.routing.chosen(this.route, url);
  }

  answering(status: number, headers: ParsedHeaders): void {
    this.#answer.begins(status, headers);
  }

  sent(url: string | undefined): void {
    this.#answer.comes();
    this.#around.routing.sent(this.route, url);
    this.#goesTo(url);
    if (this.#visit) this.#visit.moveTo(originOf(url) ?? '');
    else this.#visit = visit(this.#around.traffic, url, this.req, this.res);
  }

  sentAs(line: RequestLine): void {
    this.line = line;
    const { secure, changeOrigin, tls } = line;
    this.#around.proxy.manner = { secure, changeOrigin, tls };
  }

  reached(origin: string): void {
    this.#around.routing.reached(origin);
  }

  refuse(
    reason: Reason,
    rawId: string | undefined = this.rawId,
    key: string | undefined = this.#key(),
  ): void {
    const { handler, unknownSessionStatus } = this.#around;
    const status = statusOf(reason, unknownSessionStatus);
    // A proxy that the app's `handler` has let the request go on to: it is the same refusal.
    if (this.refusal === undefined) this.refused(reason, key);
    if (isTooLate(this.res)) return;
    // A handler may let the app go on; a proxy that is asked to forward what was refused refuses it again.
    if (!handler || this.refusal) {
      this.#answer.answer(refusalAnswer(reason, status, rawId));
      return;
    }
    this.refusal = reason;
    rememberRoutedRequest(this.req, this);
    this.#answer.open();
    settleOnceAnswered(this.req, this.res);
    void askHandler(handler, this, reason, status);
  }

  confirmDeleted(): void {
    this.#decided('pinned');
    if (!isTooLate(this.res)) this.#answer.answer(DELETED);
  }

  onClose(connections: Connections): void {
    this.#around.connections.add(connections);
  }

  opened(key: string): void {
    this.#watch?.opened(key);
  }

  refused(reason: Reason, key: string | undefined = this.#key()): void {
    this.#around.onRefused(reason, key);
    this.#watch?.refused(reason, key);
  }

  #goesTo(url: string | undefined): void {
    this.#decided();
    if (url !== undefined) this.#watch?.goesTo(url);
  }

  /** A request without a session counts when a proxy asks for it: before that it may be one of the app (A14). */
  #decided(kind: DecisionKind = kindOf(this.route)): void {
    if (kind === this.kind) return;
    this.kind = kind;
    this.#around.decisions[kind] += 1;
    this.#watch?.decided(kind, this.#key());
  }

  #key(): string | undefined {
    return this.route.kind === 'pinned' ? this.route.key : undefined;
  }
}
