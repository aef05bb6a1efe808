import type { Observer } from './observers.ts';
import type { Reason } from './protocol/reasons.ts';
import type { DecisionKind } from './routing/kind.ts';

/** Counted since the middleware was made. */
export interface Counters {
  /** Requests by how they were decided. One whose session turns out to be lost on its way counts twice. */
  readonly decisions: Readonly<Record<DecisionKind, number>>;
  readonly opened: number;
  /** Lost sessions that were opened anew. */
  readonly recovered: number;
  readonly ended: number;
  /** Requests that were answered in place of a backend, by reason. */
  readonly refused: Readonly<Partial<Record<Reason, number>>>;
  readonly storeFailures: number;
  /** Records that could not be read. */
  readonly unusableRecords: number;
  /** Answers that may have created a task, and were too long to be read. */
  readonly unreadAnswers: number;
}

/** What is counted, and by whom. */
export interface Counting {
  /** Counted where the decision is made: a call for each request would cost more. */
  readonly decisions: Record<DecisionKind, number>;
  readonly observer: Observer;
  readonly counters: () => Counters;
}

export function counting(): Counting {
  const decisions = { pinned: 0, recovered: 0, new: 0, modern: 0, other: 0 };
  const refused: Partial<Record<Reason, number>> = {};
  const count = {
    ...{ opened: 0, recovered: 0, ended: 0 },
    ...{ storeFailures: 0, unusableRecords: 0, unreadAnswers: 0 },
  };

  return {
    decisions,
    observer: {
      opened: () => void (count.opened += 1),
      recovered: () => void (count.recovered += 1),
      ended: () => void (count.ended += 1),
      refused: (reason) => void (refused[reason] = (refused[reason] ?? 0) + 1),
      storeFailed(_error, during) {
        if (during === 'decode') count.unusableRecords += 1;
        else count.storeFailures += 1;
      },
      unreadAnswer: () => void (count.unreadAnswers += 1),
    },
    counters: () => ({ ...count, decisions: { ...decisions }, refused: { ...refused } }),
  };
}
