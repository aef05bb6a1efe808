import type { Reason } from '../protocol/reasons.ts';
import { isSessionId } from '../protocol/session-id.ts';
import { OPENED_ON } from '../store/record.ts';
import type { Route } from './route.ts';

/** What the head of an answer says. */
export interface AnswerHead {
  readonly status: number;
  /** `Mcp-Session-Id` of the answer. */
  readonly sessionId: string | undefined;
  readonly eventStream: boolean;
  /** Compressed in a way that is not known: its body is not read. */
  readonly encoded: boolean;
  /** Compressed in any way. */
  readonly packed: boolean;
}

/** The request the answer is for. */
export interface Asked {
  readonly method: string | undefined;
  /** Path without the query, as the client sent it. */
  readonly path: string;
}

/** What is done with an answer before its head is sent. */
export type AnswerPlan =
  | { readonly kind: 'pass'; readonly dropSessionId: boolean }
  /** Hold it until the session is stored. */
  | { readonly kind: 'record'; readonly sessionId: string }
  /** Hold it until the session is ended. */
  | { readonly kind: 'end'; readonly dropSessionId: boolean }
  /** Hold it until its body tells whether the session is over. */
  | { readonly kind: 'inspect'; readonly dropSessionId: boolean }
  /** Pass it on, and read its body: it tells which era the backend speaks. */
  | { readonly kind: 'hear'; readonly dropSessionId: boolean }
  /** Hold it until its body tells whether a task was created; `tasks`: each event of it. */
  | { readonly kind: 'task' | 'tasks'; readonly dropSessionId: boolean }
  /** Hold it until its first event tells whether it opens a session of HTTP+SSE. */
  | { readonly kind: 'endpoint' }
  | { readonly kind: 'refuse'; readonly reason: Reason };

/**
 * Plans an answer (contract B and C). `hashOf` gives a session's key, `inspects` says whether an answer with
 * this status may tell of a lost session, `hearsEra` whether a refusal may tell of the backend's era.
 */
export function planAnswer(
  route: Route,
  asked: Asked,
  head: AnswerHead,
  hashOf: (sessionId: string) => string,
  inspects: (status: number) => boolean,
  hearsEra = false,
): AnswerPlan {
  const { status, sessionId } = head;
  const success = status >= 200 && status < 300;
  if (route.kind === 'open') {
    const mayTellEra = hearsEra && route.backendUrl !== undefined && status >= 400 && status < 500;
    if (mayTellEra && isReadable(head))
      return { kind: 'hear', dropSessionId: sessionId !== undefined };
    if (route.stream && success && head.eventStream && !head.packed) return { kind: 'endpoint' };
    const dropSessionId = sessionId !== undefined;
    if (route.createsTask && success) {
      if (head.eventStream ? head.packed : head.encoded) return { kind: 'pass', dropSessionId };
      return { kind: head.eventStream ? 'tasks' : 'task', dropSessionId };
    }
    if (sessionId === undefined) return { kind: 'pass', dropSessionId: false };
    // Clients adopt the id of any answer: one that is not stored must not reach them.
    if (!success || !route.opening || route.stream) return { kind: 'pass', dropSessionId: true };
    if (!isSessionId(sessionId)) return { kind: 'refuse', reason: 'invalid_backend_answer' };
    return { kind: 'record', sessionId };
  }
  if (route.task) return { kind: 'pass', dropSessionId: sessionId !== undefined };
  // Nor must another session's.
  const dropSessionId = sessionId !== undefined && hashOf(sessionId) !== route.key;
  if (asked.method === 'DELETE' && (success || status === 404))
    return { kind: 'end', dropSessionId };
  const mayTellLoss = inspects(status) || (status === 404 && onSessionPath(route, asked));
  if (mayTellLoss && asked.method !== 'HEAD' && isReadable(head))
    return { kind: 'inspect', dropSessionId };
  return { kind: 'pass', dropSessionId };
}

function isReadable({ eventStream, encoded }: AnswerHead): boolean {
  return !eventStream && !encoded;
}

/** A 404 elsewhere, for instance of OAuth discovery, says nothing about the session. */
export function onSessionPath(route: Route, asked: Asked): boolean {
  if (route.kind === 'open') return false;
  const openedOn = route.record[OPENED_ON];
  return openedOn === undefined || openedOn === asked.path;
}
