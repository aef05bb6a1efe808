import type { IncomingMessage, ServerResponse } from 'node:http';
import { originOf } from '../backends/origin.ts';
import type { Visit } from '../backends/traffic.ts';
import type { Reason } from '../protocol/reasons.ts';
import { SESSION_HEADER } from '../protocol/session-id.ts';
import type { AnswerHead, Asked } from '../routing/answer.ts';
import type { Destination, PinnedRoute, Route, Stop } from '../routing/route.ts';
import { keyOf, type ConnectFailure } from '../routing/session-routing.ts';
import {
  DELETED,
  isTooLate,
  refusalAnswer,
  settleOnceAnswered,
  settleRequest,
  statusOf,
  type Answer,
} from './answer.ts';
import { forgetAtBackend } from './forget-at-backend.ts';
import { headOf, MAX_INSPECTED, textOf } from './read-answer.ts';
import { askHandler } from './refusal-handler.ts';
import { PASS, ResponseGate, SEND, type HeadVerdict, type Release } from './response-gate.ts';
import { rememberRoutedRequest, type Connections, type RoutedRequest } from './routed-request.ts';
import type { Surroundings } from './surroundings.ts';
import { visit } from './visit.ts';

export type { RefusalHandler, RefusalInfo } from './refusal-handler.ts';

/** Until it is known where the request belongs. */
const NO_ROUTE: Route = Object.freeze({
  kind: 'open',
  opening: false,
  turn: 'other',
  backendUrl: undefined,
  alternatives: [],
});

/** One request and its answer. */
export class Exchange<
  Req extends IncomingMessage,
  Res extends ServerResponse,
> implements RoutedRequest {
  readonly req: Req;
  readonly res: Res;
  readonly next: (error?: unknown) => void;
  readonly #around: Surroundings<Req, Res>;
  readonly #asked: Asked;
  #route: Route = NO_ROUTE;
  #gate: ResponseGate | undefined;
  #line: { readonly path: string; readonly secure: boolean } | undefined;
  #refusal: Reason | undefined;
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
    const url = req.originalUrl ?? req.url ?? '/';
    const query = url.indexOf('?');
    this.#asked = { method: req.method, path: query === -1 ? url : url.slice(0, query) };
  }

  get route(): Route {
    return this.#route;
  }

  get refusal(): Reason | undefined {
    return this.#refusal;
  }

  /** Sets the way of the request and watches its answer. */
  take(route: Route): void {
    this.#route = route;
    // Where no session can begin, the app's own answers are left alone (A14): those of a proxy are watched later.
    if (route.kind === 'pinned' || route.opening) this.#watch();
  }

  destination(): Destination {
    if (this.#refusal) return { kind: 'refuse', reason: this.#refusal };
    this.#watch();
    return this.#around.routing.destination(this.#route, this.req);
  }

  async connectFailed(origin: string, failure: ConnectFailure): Promise<Destination> {
    const { routing } = this.#around;
    const next = await routing.connectFailed(this.#route, origin, failure, this.req.method);
    if (next.kind === 'backend') this.#visit?.moveTo(originOf(next.url) ?? '');
    return next;
  }

  brokenOff(origin: string): Promise<Stop> {
    return this.#around.routing.brokenOff(this.#route, origin, this.req.method);
  }

  chosen(url: string | undefined): void {
    this.#around.routing.chosen(this.#route, url);
  }

  sent(url: string | undefined): void {
    this.#watch();
    this.#around.routing.sent(this.#route, url);
    if (this.#visit) this.#visit.moveTo(originOf(url) ?? '');
    else this.#visit = visit(this.#around.traffic, url, this.req, this.res);
  }

  sentAs(line: { readonly path: string; readonly secure: boolean }): void {
    this.#line = line;
  }

  reached(origin: string): void {
    this.#around.routing.reached(origin);
  }

  refuse(reason: Reason, rawId?: string, key: string | undefined = this.#key()): void {
    const { handler, onRefused } = this.#around;
    const status = this.#statusOf(reason);
    onRefused(reason, key);
    if (isTooLate(this.res)) return;
    // A handler may let the app go on; a proxy that is asked to forward what was refused refuses it again.
    if (!handler || this.#refusal) {
      this.#answer(refusalAnswer(reason, status, rawId));
      return;
    }
    this.#refusal = reason;
    rememberRoutedRequest(this.req, this);
    this.#gate?.open();
    settleOnceAnswered(this.req, this.res);
    void askHandler(handler, this, reason, status);
  }

  confirmDeleted(): void {
    if (!isTooLate(this.res)) this.#answer(DELETED);
  }

  onClose(connections: Connections): void {
    this.#around.connections.add(connections);
  }

  #watch(): void {
    const trigger = this.#route.kind === 'open' ? SESSION_HEADER : undefined;
    this.#gate ??= new ResponseGate(this.res, () => this.#onHead(), trigger);
  }

  #answer(answer: Answer): void {
    settleRequest(this.req, this.res);
    if (this.#gate) this.#gate.replace(answer);
    else this.res.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #onHead(): HeadVerdict {
    const head = headOf(this.res);
    const plan = this.#around.routing.planAnswer(this.#route, this.#asked, head);
    if ('dropSessionId' in plan && plan.dropSessionId) this.res.removeHeader(SESSION_HEADER);
    const route = this.#route;
    switch (plan.kind) {
      case 'pass':
        if (route.kind === 'pinned' && head.eventStream)
          this.#around.streams.add(route.key, this.res);
        return PASS;
      case 'record':
        return { kind: 'hold', until: this.#record(plan.sessionId, head) };
      case 'refuse':
        return { kind: 'hold', until: Promise.resolve(this.#replaceBy(plan.reason)) };
      case 'end':
        if (route.kind !== 'pinned') return PASS;
        return {
          kind: 'hold',
          until: this.#around.routing.endings.deleted(route).then(() => SEND),
        };
      case 'inspect':
        if (route.kind !== 'pinned') return PASS;
        return {
          kind: 'inspect',
          maxBytes: MAX_INSPECTED,
          read: (body) => this.#inspect(route, head.status, body),
        };
    }
  }

  async #record(sessionId: string, head: AnswerHead): Promise<Release> {
    const { routing, streams } = this.#around;
    let reason: Reason = 'invalid_backend_answer';
    try {
      if ((await routing.record(this.#route, sessionId, this.#asked)) === 'created') {
        if (head.eventStream) streams.add(keyOf(sessionId), this.res);
        return SEND;
      }
    } catch {
      // Counted and told by the directory; what the client is told is the refusal.
      reason = 'store_unavailable';
    }
    const { backendUrl } = this.#route;
    if (backendUrl !== undefined && this.#line) {
      forgetAtBackend(backendUrl, this.#line, sessionId, this.req.headers);
    }
    return this.#replaceBy(reason);
  }

  async #inspect(route: PinnedRoute, status: number, bytes: Buffer | undefined): Promise<Release> {
    const body = bytes && textOf(this.res, bytes);
    if (body === undefined) return SEND;
    const verdict = await this.#around.routing.endings.inspect(route, this.#asked, status, body);
    return verdict === 'pass' ? SEND : this.#replaceBy(verdict);
  }

  #replaceBy(reason: Reason): Release {
    this.#around.onRefused(reason, this.#key());
    return { kind: 'replace', by: refusalAnswer(reason, this.#statusOf(reason)) };
  }

  #statusOf(reason: Reason): number {
    return statusOf(reason, this.#around.unknownSessionStatus);
  }

  #key(): string | undefined {
    return this.#route.kind === 'pinned' ? this.#route.key : undefined;
  }
}
