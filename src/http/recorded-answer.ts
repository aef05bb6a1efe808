import type { Reason } from '../protocol/reasons.ts';
import { isSessionId } from '../protocol/session-id.ts';
import { createdTask, type CreatedTask } from '../protocol/tasks.ts';
import type { AnswerHead } from '../routing/answer.ts';
import { keyOf, keyOfStream } from '../routing/keys.ts';
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
    const { route, asked, opening, req, res, line } = this.#question;
    let reason: Reason = 'invalid_backend_answer';
    try {
      const session = { key: keyOf(sessionId), id: sessionId };
      if ((await routing.recording.session(route, session, asked.path, opening)) === 'created') {
        if (head.eventStream) streams.add(session.key, res);
        return SEND;
      }
    } catch {
      // Counted and told by the directory; what the client is told is the refusal.
      reason = 'store_unavailable';
    }
    const { backendUrl } = route;
    if (backendUrl !== undefined && line) forgetAtBackend(backendUrl, line, sessionId, req.headers);
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
    try {
      if (!isSessionId(session.id))
        return refusedAs(this.#question, this.#around, 'invalid_backend_answer');
      if ((await routing.recording.session(route, session, endpoint.path)) !== 'created')
        return refusedAs(this.#question, this.#around, 'invalid_backend_answer');
    } catch {
      // Counted and told by the directory.
      return refusedAs(this.#question, this.#around, 'store_unavailable');
    }
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

  async #recordTask(task: CreatedTask): Promise<Reason | undefined> {
    try {
      const outcome = await this.#around.routing.recording.task(this.#question.route, task);
      return outcome === 'created' ? undefined : 'invalid_backend_answer';
    } catch {
      // Counted and told by the directory.
      return 'store_unavailable';
    }
  }
}
