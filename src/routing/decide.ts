import type { Turn } from '../backends/balance.ts';
import type { Reason } from '../protocol/reasons.ts';
import { hasPostOnly, isModern } from '../protocol/revision.ts';
import { isSessionId } from '../protocol/session-id.ts';
import type { SessionRecord } from '../store/record.ts';
import type { Lookup } from '../store/session-directory.ts';

/** What the guard knows of a request from its head. */
export interface RequestFacts {
  readonly method: string | undefined;
  /** `Mcp-Session-Id` as it was sent; two of them are joined by ", ". */
  readonly sessionId: string | undefined;
  /** `MCP-Protocol-Version`, which all but `initialize` carry since 2025-06-18. */
  readonly version: string | undefined;
  /** With `sse`: it accepts an event stream. */
  readonly asksForStream?: boolean;
  /** With `affinity.tasks`: its answer may create a task. */
  readonly mayCreateTask?: boolean;
}

/** What is done with a request. */
export type Decision =
  /** It belongs to no session; `opening`: its answer may start one. */
  | {
      readonly kind: 'open';
      readonly opening: boolean;
      readonly turn: Turn;
      readonly stream?: boolean;
      readonly modern?: boolean;
      readonly createsTask?: boolean;
    }
  | { readonly kind: 'pinned'; readonly record: SessionRecord }
  | { readonly kind: 'refuse'; readonly reason: Reason }
  /** The same, if a proxy asks for it: it may be a request of the app that says nothing of a session. */
  | { readonly kind: 'refuse-proxied'; readonly reason: Reason }
  /** Its head does not say: the body has to be looked at. */
  | {
      readonly kind: 'read-body';
      readonly ifInitialize: Decision;
      readonly otherwise: Decision;
    };

const OPENING: Decision = Object.freeze({ kind: 'open', opening: true, turn: 'opening' });
/** `initialize` carries no version: this is a request of a server without sessions, or a question before it. */
const VERSIONED: Decision = Object.freeze({ kind: 'open', opening: true, turn: 'other' });
/** With `sse`: a GET whose answer may be a session of HTTP+SSE (MCP 2024-11-05). */
const STREAM: Decision = Object.freeze({
  kind: 'open',
  opening: true,
  turn: 'opening',
  stream: true,
});
const BALANCED: Decision = Object.freeze({ kind: 'open', opening: false, turn: 'other' });

/** Of a revision without sessions: balanced on its own, whatever ids it carries (E1). */
const MODERN = Object.freeze({
  kind: 'open',
  opening: false,
  turn: 'other',
  modern: true,
});

const CREATING: Decision = Object.freeze({ ...MODERN, createsTask: true });

/** The decision for a request without a session id, or with one that cannot be one; the store is not needed. */
export function decideByHead(facts: RequestFacts): Decision | undefined {
  if (isModern(facts.version)) {
    const other = facts.method === 'GET' || facts.method === 'DELETE';
    // E2: nothing is there to be listened to, or to be deleted.
    return other && hasPostOnly(facts.version)
      ? { kind: 'refuse-proxied', reason: 'method_not_allowed' }
      : facts.method === 'POST' && facts.mayCreateTask
        ? CREATING
        : MODERN;
  }
  if (facts.sessionId === undefined) {
    if (facts.method === 'GET' && facts.asksForStream) return STREAM;
    if (facts.method !== 'POST') return BALANCED;
    return facts.version === undefined ? OPENING : VERSIONED;
  }
  return isSessionId(facts.sessionId)
    ? undefined
    : { kind: 'refuse', reason: 'invalid_session_id' };
}

/** The decision for a request with a session id, by what is known of it (contract A1 to A3, A5, A6, A9, A10). */
export function decideByLookup(facts: RequestFacts, lookup: Lookup): Decision {
  const otherwise = withoutBody(lookup);
  if (lookup.kind === 'unavailable' || facts.method !== 'POST') return otherwise;
  // The owner of a live session answers for it. Only a client that starts again sends no version.
  if (lookup.kind === 'live' && facts.version !== undefined) return otherwise;
  return { kind: 'read-body', ifInitialize: OPENING, otherwise };
}

/** The decision for a POST of HTTP+SSE, which names its session in the query: `initialize` is one of them (E5, E6). */
export function decideByQuery(
  lookup: Lookup,
): Exclude<Decision, { readonly kind: 'open' | 'read-body' | 'refuse-proxied' }> {
  return withoutBody(lookup);
}

function withoutBody(
  lookup: Lookup,
): Exclude<Decision, { readonly kind: 'open' | 'read-body' | 'refuse-proxied' }> {
  switch (lookup.kind) {
    case 'live':
      return { kind: 'pinned', record: lookup.record };
    case 'ended':
      return { kind: 'refuse', reason: 'session_ended' };
    case 'unknown':
      return { kind: 'refuse', reason: 'unknown_session' };
    case 'unavailable':
      return { kind: 'refuse', reason: 'store_unavailable' };
  }
}
