import { isKnownLostSession } from '../../protocol/backend-answer.ts';
import { erasOfAnswer, erasOfInitialize } from '../../protocol/era.ts';
import { isSessionId } from '../../protocol/session-id.ts';
import { DISCOVERING, INITIALIZE_ID, type Session } from './endpoint.ts';
import { answerTo, isStream, messagesIn } from './messages.ts';
import { TooLate, type Received } from './request.ts';

/** What became of a call of a session; `what` is for a count, and holds nothing that a server has made up. */
export type Outcome =
  | { readonly kind: 'reached'; readonly ms: number }
  /** It was answered by somebody who does not know the session. */
  | { readonly kind: 'lost'; readonly what: string }
  | { readonly kind: 'failed'; readonly what: string };

export type Opening =
  | { readonly kind: 'opened'; readonly session: Session; readonly ms: number }
  | { readonly kind: 'refused'; readonly what: string };

/** JSON-RPC error of servers, and of this package, for a session that is not known. */
const SESSION_NOT_FOUND = -32001;
/** JSON-RPC 2.0, 5.1. */
const METHOD_NOT_FOUND = -32_601;

// revision = 4DIGIT "-" 2DIGIT "-" 2DIGIT ; MCP, Versioning
const REVISION = /^\d{4}-\d{2}-\d{2}$/;

/** Of `initialize`. */
export function judgeOpening(received: Received): Opening {
  const { status, sessionId: id, ms } = received;
  const answer = answerTo(received, INITIALIZE_ID);
  if (!isGood(status) || !answer || !('result' in answer)) {
    const modern = erasOfInitialize(textOf(received)).legacy === false;
    return { kind: 'refused', what: modern ? 'it knows no initialize' : `HTTP ${status}` };
  }
  if (id !== undefined && !isSessionId(id)) {
    return { kind: 'refused', what: 'an Mcp-Session-Id that is none' };
  }
  return { kind: 'opened', session: { id, version: versionIn(answer.result) }, ms };
}

function versionIn(result: unknown): string {
  const version: unknown = Reflect.get(Object(result), 'protocolVersion');
  return typeof version === 'string' && REVISION.test(version) ? version : '2025-11-25';
}

/** Of a call: it has reached its session if it was answered by a result, or by a server that knows no `ping`. */
export function judgeCall(received: Received, id: number | string): Outcome {
  const { status, ms } = received;
  const answer = answerTo(received, id);
  const lost = messagesIn(received).some(({ error }) => error?.code === SESSION_NOT_FOUND);
  if (isGood(status)) {
    if (lost) return { kind: 'lost', what: `HTTP ${status}, session not found` };
    if (!answer) return { kind: 'failed', what: `HTTP ${status} without an answer` };
    if ('result' in answer) return { kind: 'reached', ms };
    // Any other error may come from whatever stands in front; and to be told of 2026-07-28 nobody has opened anything.
    const isOwn = answer.error?.code === METHOD_NOT_FOUND && id !== DISCOVERING;
    return isOwn
      ? { kind: 'reached', ms }
      : { kind: 'failed', what: `HTTP ${status} with an error of JSON-RPC` };
  }
  const isLost = status === 404 || lost || isKnownLostSession(status, received.bytes);
  return { kind: isLost ? 'lost' : 'failed', what: `HTTP ${status}` };
}

/** Whether the server speaks 2026-07-28, by its answer to `server/discover`. */
export function speaksModern(received: Received): boolean {
  return erasOfAnswer(received.status, textOf(received)).modern === true;
}

/** Why there was no answer. */
export function whyNone(error: unknown): string {
  if (error instanceof TooLate) return 'no answer in time';
  const code: unknown = Reflect.get(Object(error), 'code');
  return typeof code === 'string' && /^[A-Z_\d]+$/.test(code) ? code : 'broken off';
}

export function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The JSON of an answer, or of the first event that has some. */
function textOf(received: Received): string {
  if (!isStream(received)) return Buffer.from(received.bytes, 'latin1').toString();
  return JSON.stringify(messagesIn(received)[0]) ?? '';
}
