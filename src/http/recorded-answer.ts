import type { Reason } from '../protocol/reasons.ts';
import { isSessionId } from '../protocol/session-id.ts';
import { createdTask, type CreatedTask } from '../protocol/tasks.ts';
import type { AnswerHead } from '../routing/answer.ts';
import { keyOf, keyOfStream } from '../routing/keys.ts';
import type { Creation } from '../store/session-directory.ts';
import { forgetAtBackend } from './forget-at-backend.ts';
import { refusedAs, type Around, type Question } from './question.ts';
import { MAX_INSPECTED, textOf } from './read-answer.ts';
import { readEndpoint } from './read-endpoint.ts';
import { SEND, type Release } from './response-gate.ts';
import type { StreamScanOptions } from './stream-scan.ts';

/** What an answer opens, or creates, is stored before the client learns of it. */
export class RecordedAnswer {
  readonly #question: Question;
  readonly #around: Around;

  constructor(question: Question, around: Around) {
    this.#question = question;
    this.#around = around;
  }

  /** Its head has a session id: the session is stored before the client knows it (B1). */
  async session(sessionId: string, head: AnswerHead): Promise<Release> {
    const { routing, streams } = this.#around;
    const { route, asked, req, res, line } = this.#question;
    const session = { key: keyOf(sessionId), id: sessionId };
    let outcome: Creation | undefined;
    const reason = await this.#record(async () => {
      outcome = await routing.recording.session(route, session, asked.path, this.#question);
      return outcome;
    });
    if (reason === undefined) {
      this.#question.opened(session.key);
      if (head.eventStream) streams.add(session.key, res);
      return SEND;
    }
    const { backendUrl } = route;
    // The backend would end the session that somebody else has there.
    const isTheirs = outcome === 'foreign';
    if (backendUrl !== undefined && line && !isTheirs)
      forgetAtBackend(backendUrl, line, sessionId, req.headers);
    return refusedAs(this.#question, this.#around, reason);
  }

  /** The first event of a stream: with `endpoint` it opens a session of HTTP+SSE. */
  async endpoint(bytes: Buffer | undefined): Promise<Release> {
    const { routing, streams, sseParams } = this.#around;
    const { route, asked, line, res } = this.#question;
    const endpoint =
      bytes && readEndpoint(bytes, { asked: asked.path, sent: line?.path }, sseParams);
    if (!endpoint) return SEND;
    const session = { key: keyOfStream(endpoint.id), id: endpoint.id };
    const reason = isSessionId(session.id)
      ? await this.#record(() => {
          const { caller } = this.#question;
          return routing.recording.session(route, session, endpoint.path, { caller });
        })
      : 'invalid_backend_answer';
    if (reason !== undefined) return refusedAs(this.#question, this.#around, reason);
    this.#question.opened(session.key);
    streams.add(session.key, res);
    const over = (): void => void routing.endings.closed(session.key);
    if (res.destroyed) over();
    else res.once('close', over);
    return { kind: 'rewrite', rewrite: endpoint.rewrite };
  }

  /** An answer that may create a task; who holds it is stored before the client knows it (E3). */
  async task(body: Buffer | undefined): Promise<Release> {
    if (body === undefined) this.#around.onUnreadAnswer();
    const { route, res } = this.#question;
    const json = body && textOf(res, body);
    const task = json === undefined ? undefined : createdTask(json);
    if (route.kind === 'open') this.#around.routing.eraFinder.served(route);
    if (!task) return SEND;
    const reason = await this.#recordTask(task);
    return reason === undefined ? SEND : refusedAs(this.#question, this.#around, reason);
  }

  /** The same for the events of a stream. */
  tasks(): StreamScanOptions {
    return {
      maxBytes: MAX_INSPECTED,
      onTooLong: this.#around.onUnreadAnswer,
      onEvent: (data) => {
        const task = createdTask(data);
        return task && this.#recordTask(task).then((reason) => reason === undefined);
      },
    };
  }

  #recordTask(task: CreatedTask): Promise<Reason | undefined> {
    return this.#record(() => {
      const { route, caller } = this.#question;
      return this.#around.routing.recording.task(route, task, caller);
    });
  }

  /** Why what a backend has opened must not reach the client; `undefined`: it is stored. */
  async #record(store: () => Promise<Creation>): Promise<Reason | undefined> {
    if (!this.#question.identify()) return 'principal_failed';
    try {
      return (await store()) === 'created' ? undefined : 'invalid_backend_answer';
    } catch {
      // Counted and told by the directory; what the client is told is the refusal.
      return 'store_unavailable';
    }
  }
}
