import type { Turn } from '../backends/balance.ts';
import type { Reason } from '../protocol/reasons.ts';
import { isSessionId } from '../protocol/session-id.ts';
import type { SessionRecord } from '../store/record.ts';
import type { Lookup } from '../store/session-directory.ts';

/** What the guard knows of a request from its head. */
export interface RequestFacts {
  readonly method: string | undefined;
  /** `Mcp-Session-Id` as it was sent; two of them are joined by ", ". */
  readonly sessionId: string | undefined;
  /** It carries `MCP-Protocol-Version`, as all but `initialize` do since 2025-06-18. */
  readonly versioned: boolean;
  /** With `sse`: it accepts an event stream. */
  readonly asksForStream?: boolean;
}

/** What is done with a request. */
export type Decision =
  /** It belongs to no session; `opening`: its answer may start one. */
  | {
      readonly kind: 'open';
      readonly opening: boolean;
      readonly turn: Turn;
      readonly stream?: boolean;
    }
  | { readonly kind: 'pinned'; readonly record: SessionRecord }
  | { readonly kind: 'refuse'; readonly reason: Reason }
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

/** The decision for a request without a session id, or with one that cannot be one; the store is not needed. */
export function decideByHead(facts: RequestFacts): Decision | undefined {
  if (facts.sessionId === undefined) {
    if (facts.method === 'GET' && facts.asksForStream) return STREAM;
    if (facts.method !== 'POST') return BALANCED;
    return facts.versioned ? VERSIONED : OPENING;
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
  if (lookup.kind === 'live' && facts.versioned) return otherwise;
  return { kind: 'read-body', ifInitialize: OPENING, otherwise };
}

/** The decision for a POST of HTTP+SSE, which names its session in the query: `initialize` is one of them (E5, E6). */
export function decideByQuery(
  lookup: Lookup,
): Exclude<Decision, { readonly kind: 'open' | 'read-body' }> {
  return withoutBody(lookup);
}

function withoutBody(lookup: Lookup): Exclude<Decision, { readonly kind: 'open' | 'read-body' }> {
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
