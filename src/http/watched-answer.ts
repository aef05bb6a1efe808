import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reason } from '../protocol/reasons.ts';
import { isSessionId, SESSION_HEADER } from '../protocol/session-id.ts';
import type { AnswerHead, Asked } from '../routing/answer.ts';
import type { PinnedRoute, Route } from '../routing/route.ts';
import { keyOf, keyOfStream } from '../routing/session-routing.ts';
import { refusalAnswer, settleRequest, statusOf, type Answer } from './answer.ts';
import { NotConnected } from './ask-backend.ts';
import { forgetAtBackend, type RequestLine } from './forget-at-backend.ts';
import { headOf, MAX_INSPECTED, textOf } from './read-answer.ts';
import { FIRST_EVENT, readEndpoint } from './read-endpoint.ts';
import { resend } from './resend.ts';
import { PASS, ResponseGate, SEND, type HeadVerdict, type Release } from './response-gate.ts';
import type { Surroundings } from './surroundings.ts';

/** What is known of the request that an answer is for. */
export interface Question {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly asked: Asked;
  readonly route: Route;
  /** `undefined`: no proxy has sent it. */
  readonly line: RequestLine | undefined;
  /** Its body, if it was kept. */
  readonly body: Buffer | undefined;
  /** The body of an `initialize` that is to be kept. */
  readonly opening: string | undefined;
}

type Around = Pick<
  Surroundings,
  'routing' | 'streams' | 'sseParams' | 'onRefused' | 'unknownSessionStatus'
>;

/** The answer to one request: it is looked at, and where need be held or replaced, before the client gets it. */
export class WatchedAnswer {
  readonly #question: Question;
  readonly #around: Around;
  #gate: ResponseGate | undefined;

  constructor(question: Question, around: Around) {
    this.#question = question;
    this.#around = around;
  }

  /** From now on, if it was not before. */
  watch(): void {
    const { route, res } = this.#question;
    const looksAtAll =
      route.kind === 'pinned' || route.stream || this.#around.routing.eraFinder.hears(route);
    const trigger = looksAtAll ? undefined : SESSION_HEADER;
    this.#gate ??= new ResponseGate(res, () => this.#onHead(), trigger);
  }

  /** Answers in place of a backend. */
  answer(answer: Answer): void {
    const { req, res } = this.#question;
    settleRequest(req, res);
    if (this.#gate) this.#gate.replace(answer);
    else res.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** The app answers. */
  open(): void {
    this.#gate?.open();
  }

  #onHead(): HeadVerdict {
    const { res, route, asked } = this.#question;
    const { routing, streams } = this.#around;
    if (route.kind === 'pinned') callByClientsName(res, route);
    const head = headOf(res);
    const plan = routing.planAnswer(route, asked, head);
    if ('dropSessionId' in plan && plan.dropSessionId) res.removeHeader(SESSION_HEADER);
    switch (plan.kind) {
      case 'pass':
        if (route.kind === 'pinned' && head.eventStream) streams.add(route.key, res);
        if (route.kind === 'open' && head.status < 300) routing.eraFinder.served(route);
        return PASS;
      case 'hear':
        return {
          kind: 'inspect',
          of: { maxBytes: MAX_INSPECTED },
          read: (body) => this.#hear(head.status, body),
        };
      case 'record':
        return { kind: 'hold', until: this.#record(plan.sessionId, head) };
      case 'endpoint':
        res.removeHeader(SESSION_HEADER);
        return { kind: 'inspect', of: FIRST_EVENT, read: (body) => this.#endpoint(body) };
      case 'refuse':
        return { kind: 'hold', until: Promise.resolve(this.#replaceBy(plan.reason)) };
      case 'end':
        if (route.kind !== 'pinned') return PASS;
        return { kind: 'hold', until: routing.endings.deleted(route).then(() => SEND) };
      case 'inspect':
        if (route.kind !== 'pinned') return PASS;
        return {
          kind: 'inspect',
          of: { maxBytes: MAX_INSPECTED },
          read: (body) => this.#inspect(route, head.status, body),
        };
    }
  }

  async #record(sessionId: string, head: AnswerHead): Promise<Release> {
    const { routing, streams } = this.#around;
    const { route, asked, opening, req, res, line } = this.#question;
    let reason: Reason = 'invalid_backend_answer';
    try {
      const session = { key: keyOf(sessionId), id: sessionId };
      if ((await routing.record(route, session, asked.path, opening)) === 'created') {
        if (head.eventStream) streams.add(session.key, res);
        return SEND;
      }
    } catch {
      // Counted and told by the directory; what the client is told is the refusal.
      reason = 'store_unavailable';
    }
    const { backendUrl } = route;
    if (backendUrl !== undefined && line) forgetAtBackend(backendUrl, line, sessionId, req.headers);
    return this.#replaceBy(reason);
  }

  /** The first event of a stream: with `endpoint` it opens a session of HTTP+SSE. */
  async #endpoint(bytes: Buffer | undefined): Promise<Release> {
    const { routing, streams, sseParams } = this.#around;
    const { route, asked, line, res } = this.#question;
    const endpoint =
      bytes && readEndpoint(bytes, { asked: asked.path, sent: line?.path }, sseParams);
    if (!endpoint) return SEND;
    const session = { key: keyOfStream(endpoint.id), id: endpoint.id };
    try {
      if (!isSessionId(session.id)) return this.#replaceBy('invalid_backend_answer');
      if ((await routing.record(route, session, endpoint.path)) !== 'created')
        return this.#replaceBy('invalid_backend_answer');
    } catch {
      // Counted and told by the directory.
      return this.#replaceBy('store_unavailable');
    }
    streams.add(session.key, res);
    const over = (): void => void routing.endings.closed(session.key);
    if (res.destroyed) over();
    else res.once('close', over);
    return { kind: 'rewrite', rewrite: endpoint.rewrite };
  }

  #hear(status: number, bytes: Buffer | undefined): Promise<Release> {
    const { route, res } = this.#question;
    const body = bytes && textOf(res, bytes);
    if (route.kind === 'open' && body !== undefined)
      this.#around.routing.eraFinder.refused(route, status, body);
    return Promise.resolve(SEND);
  }

  async #inspect(route: PinnedRoute, status: number, bytes: Buffer | undefined): Promise<Release> {
    const { req, res, asked } = this.#question;
    const body = bytes && textOf(res, bytes);
    if (body === undefined) return SEND;
    const verdict = await this.#around.routing.inspect(route, asked, { status, body }, req);
    switch (verdict.kind) {
      case 'pass':
        return SEND;
      case 'refuse':
        return this.#replaceBy(verdict.reason);
      case 'resend':
        return this.#resend(route, verdict.url);
    }
  }

  /** The backend has said that it does not know the session, and so has not executed the request. */
  async #resend(route: PinnedRoute, url: string): Promise<Release> {
    const { req, res, line, body } = this.#question;
    // The session goes on: the client may send again what was not kept.
    if (!line || (req.method === 'POST' && !body)) return this.#replaceBy('backend_unreachable');
    try {
      const answer = await resend(req, res, route, { ...line, url, body });
      const stream = /^text\/event-stream/i.test(answer.headers['content-type'] ?? '');
      if (stream) this.#around.streams.add(route.key, res);
      return { kind: 'relay', answer };
    } catch (error) {
      const unsent = error instanceof NotConnected;
      return this.#replaceBy(unsent ? 'backend_unreachable' : 'upstream_failed');
    }
  }

  #replaceBy(reason: Reason): Release {
    const { route } = this.#question;
    const { onRefused, unknownSessionStatus } = this.#around;
    onRefused(reason, route.kind === 'pinned' ? route.key : undefined);
    return { kind: 'replace', by: refusalAnswer(reason, statusOf(reason, unknownSessionStatus)) };
  }
}

/** The client knows a session that was recovered by another id than its backend. */
function callByClientsName(res: ServerResponse, { id, backendSession }: PinnedRoute): void {
  if (backendSession === undefined) return;
  if (res.getHeader(SESSION_HEADER) === backendSession) res.setHeader(SESSION_HEADER, id);
}
