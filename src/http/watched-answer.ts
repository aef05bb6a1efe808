import type { IncomingMessage } from 'node:http';
import { SESSION_HEADER } from '../protocol/session-id.ts';
import type { PinnedRoute } from '../routing/route.ts';
import { settleRequest, type Answer } from './answer.ts';
import { NotConnected } from './ask-backend.ts';
import type { HeadView } from './head-arguments.ts';
import { refusedAs, type Around, type Question } from './question.ts';
import { MAX_INSPECTED, ReadHead, textOf } from './read-answer.ts';
import { FIRST_EVENT } from './read-endpoint.ts';
import { RecordedAnswer } from './recorded-answer.ts';
import { resend } from './resend.ts';
import { PASS, ResponseGate, SEND, type HeadVerdict, type Release } from './response-gate.ts';
import type { ParsedHeaders } from './routed-request.ts';

/** The answer to one request: it is looked at, and where need be held or replaced, before the client gets it. */
export class WatchedAnswer {
  readonly #question: Question;
  readonly #around: Around;
  readonly #records: RecordedAnswer;
  #gate: ResponseGate | undefined;
  /** A proxy tells how the answer begins. */
  #told = false;
  /** A proxy has asked where the request goes, or has sent it. */
  #proxied = false;
  /** The head of a backend's answer that was told of: it may be on the response already, and not sent yet. */
  #toldHead: ParsedHeaders | undefined;

  constructor(question: Question, around: Around) {
    this.#question = question;
    this.#around = around;
    this.#records = new RecordedAnswer(question, around);
  }

  /** Whoever comes next may answer, or a proxy. */
  expect(): void {
    if (!this.#mayBeTold()) this.#watch();
  }

  /** Whoever comes next has had its turn: what did not go to a proxy that tells is watched from now on. */
  handedOn(): void {
    if (!this.#told && this.#mayBeTold() && !this.#question.res.headersSent) this.#watch();
  }

  /** A proxy sends the request; `tells`: it will say how the answer `begins`. */
  comes(tells: boolean = this.#told): void {
    this.#proxied = true;
    this.#told = tells && this.#mayBeTold();
    if (!this.#told) this.#watch();
  }

  /** A backend has answered so, of which nothing was written yet. */
  begins(status: number, headers: ParsedHeaders): void {
    const { res, route, asked } = this.#question;
    if (!this.#told || this.#gate || route.kind !== 'pinned') return;
    const head = new ReadHead(status, { get: (name) => joined(headers[name]) });
    const plan = this.#around.routing.planAnswer(route, asked, head);
    if (plan.kind !== 'pass' || plan.dropSessionId || route.backendSession !== undefined)
      this.#watch();
    else {
      this.#toldHead = headers;
      if (head.eventStream) this.#around.streams.add(route.key, res);
    }
  }

  /**
   * Nearly all requests are calls of a session, and nearly all answers to them just pass. To watch the response for
   * the sake of the others costs as much as all else that is done, so a proxy may tell how an answer begins instead.
   */
  #mayBeTold(): boolean {
    const { route, req } = this.#question;
    return route.kind === 'pinned' && route.backendUrl !== undefined && req.method === 'POST';
  }

  /** From now on, if it was not before. */
  #watch(): void {
    const { route, res } = this.#question;
    const looksAtAll =
      route.kind === 'pinned' ||
      route.stream ||
      route.createsTask ||
      this.#around.routing.eraFinder.hears(route);
    const trigger = looksAtAll ? undefined : SESSION_HEADER;
    this.#gate ??= new ResponseGate(res, (head) => this.#onHead(head), trigger);
  }

  /** Answers in place of a backend. */
  answer(answer: Answer): void {
    const { req, res } = this.#question;
    // Nothing of it may be mixed with an answer of ours.
    for (const name of Object.keys(this.#toldHead ?? {})) res.removeHeader(name);
    if (this.#toldHead) res.statusMessage = '';
    settleRequest(req, res);
    if (this.#gate) this.#gate.replace(answer);
    else res.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** The app answers. */
  open(): void {
    this.#gate?.open();
  }

  #onHead(given: HeadView): HeadVerdict {
    const { res, route, asked } = this.#question;
    const { routing, streams } = this.#around;
    if (route.kind === 'pinned') callByClientsName(given, route);
    const head = new ReadHead(given.status, given);
    const plan = routing.planAnswer(route, asked, head);
    if ('dropSessionId' in plan && plan.dropSessionId) given.remove(SESSION_HEADER);
    // The app found nobody for the request: that is not the word of the session's backend.
    const isOfApp = route.kind === 'pinned' && route.backendUrl !== undefined && !this.#proxied;
    if (isOfApp && plan.kind === 'end' && head.status === 404) return PASS;
    switch (plan.kind) {
      case 'pass':
        if (route.kind === 'pinned' && head.eventStream) streams.add(route.key, res);
        if (route.kind === 'open' && head.status < 300) routing.eraFinder.served(route);
        return PASS;
      case 'hear':
        return {
          kind: 'observe',
          of: { maxBytes: MAX_INSPECTED },
          read: (body) => this.#hear(head.status, body),
        };
      case 'record':
        return { kind: 'hold', until: this.#records.session(plan.sessionId, head) };
      case 'task':
        return {
          kind: 'inspect',
          of: { maxBytes: MAX_INSPECTED },
          read: (body) => this.#records.task(body),
        };
      case 'tasks':
        return { kind: 'scan', by: this.#records.tasks() };
      case 'endpoint':
        given.remove(SESSION_HEADER);
        return { kind: 'inspect', of: FIRST_EVENT, read: (body) => this.#records.endpoint(body) };
      case 'refuse':
        return {
          kind: 'hold',
          until: Promise.resolve(refusedAs(this.#question, this.#around, plan.reason)),
        };
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

  #hear(status: number, bytes: Buffer | undefined): void {
    const { route, res } = this.#question;
    const body = bytes && textOf(res, bytes);
    if (route.kind === 'open' && body !== undefined)
      this.#around.routing.eraFinder.refused(route, status, body);
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
        return refusedAs(this.#question, this.#around, verdict.reason);
      case 'resend':
        return this.#resend(route, verdict.url);
    }
  }

  /** The backend has said that it does not know the session, and so has not executed the request. */
  async #resend(route: PinnedRoute, url: string): Promise<Release> {
    const { req, res, line, body } = this.#question;
    // The session goes on: the client may send again what was not kept.
    if (!line || (!body && hasBody(req)))
      return refusedAs(this.#question, this.#around, 'backend_unreachable');
    this.#question.moved(url);
    try {
      const answer = await resend(req, res, route, { ...line, url, body });
      const stream = /^text\/event-stream/i.test(answer.headers['content-type'] ?? '');
      if (stream) this.#around.streams.add(route.key, res);
      return { kind: 'relay', answer };
    } catch (error) {
      const unsent = error instanceof NotConnected;
      return refusedAs(
        this.#question,
        this.#around,
        unsent ? 'backend_unreachable' : 'upstream_failed',
      );
    }
  }
}

/** By its head: that of another method than POST was not kept. */
function hasBody({ headers, method }: IncomingMessage): boolean {
  const announced = 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
  return announced || method === 'POST';
}

/** The client knows a session that was recovered by another id than its backend. */
function callByClientsName(head: HeadView, { id, backendSession }: PinnedRoute): void {
  if (backendSession === undefined) return;
  if (head.get(SESSION_HEADER) === backendSession) head.set(SESSION_HEADER, id);
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
