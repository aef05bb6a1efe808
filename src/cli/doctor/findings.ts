import type { Spread, Tally } from './tally.ts';

/** What an examination has found, before anybody judges it. Holds no session id. */
export interface Findings {
  readonly asked: {
    readonly sessions: number;
    readonly calls: number;
    readonly concurrency: number;
  };
  /** Sessions with an id, and answers to `initialize` without one. */
  readonly opened: { readonly sessions: number; readonly sessionless: number };
  /** Answers to `initialize` that opened nothing. */
  readonly refused: Tally;
  /** Revisions that `initialize` was answered with. */
  readonly revisions: readonly string[];
  readonly calls: {
    readonly total: number;
    readonly reached: number;
    /** Answered by somebody who does not know the session. */
    readonly lost: Tally;
    readonly failed: Tally;
  };
  /** The answer to an id that was never issued; `reached`: as if it were a session. */
  readonly unknownId?: string;
  /** GET of sessions: `open`, `405`, `held back`, or what else. */
  readonly streams: Tally;
  /** When the heads of those that opened were there. */
  readonly streamHeads?: Spread;
  /** DELETE of sessions: `ended`, `405`, or what else. */
  readonly endings: Tally;
  /** Calls of sessions that were ended. */
  readonly afterEnd: Tally;
  readonly eras: {
    /** Of so many questions in the words of 2026-07-28, so many were understood. */
    readonly modern: { readonly asked: number; readonly understood: number };
    /** HTTP+SSE of 2024-11-05, at the same URL. */
    readonly sse: boolean;
  };
  readonly latency: { readonly initialize?: Spread; readonly call?: Spread };
  readonly direct?: Comparison;
  /** Sessions that nobody has said are over. */
  readonly left: number;
}

/** The same requests, in turn to the endpoint and to one server itself; medians. */
export interface Comparison {
  readonly initialize?: Pair;
  readonly call?: Pair;
  /** Why there is nothing to compare with. */
  readonly refused?: string;
}

export interface Pair {
  readonly through: number;
  readonly direct: number;
}
