import type { Observer } from './observers.ts';
import type { Reason } from './protocol/reasons.ts';
import type { DecisionKind } from './routing/kind.ts';
import { StoreTally, type StoreTimes } from './store-times.ts';
import type { EndReason } from './store/end-reason.ts';
import type { StoreVerb } from './store/store-verb.ts';

/** Counted since the middleware was made. */
export interface Counters {
  /** Requests by how they were decided. One whose session turns out to be lost on its way counts twice. */
  readonly decisions: Readonly<Record<DecisionKind, number>>;
  readonly opened: number;
  /** Sessions that were found to be lost with their backend, or forgotten by it: they were recovered, or ended. */
  readonly lost: number;
  /** Lost sessions that were opened anew. */
  readonly recovered: number;
  readonly ended: number;
  readonly endedBy: Readonly<Record<EndReason, number>>;
  /** Requests that were answered in place of a backend, by reason. */
  readonly refused: Readonly<Partial<Record<Reason, number>>>;
  /** What the store was asked to do, and how long it took. */
  readonly store: Readonly<Record<StoreVerb, StoreTimes>>;
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
  const endedBy = {
    ...{ deleted: 0, closed: 0, called: 0, lost: 0, forgotten: 0, expired: 0, elsewhere: 0 },
  };
  const store = new StoreTally();
  const count = {
    ...{ opened: 0, recovered: 0, ended: 0 },
    ...{ storeFailures: 0, unusableRecords: 0, unreadAnswers: 0 },
  };

  return {
    decisions,
    observer: {
      opened: () => void (count.opened += 1),
      recovered: () => void (count.recovered += 1),
      ended(_session, reason) {
        count.ended += 1;
        endedBy[reason] += 1;
      },
      stored: (verb, seconds, failure) => store.add(verb, seconds, failure),
      refused: (reason) => void (refused[reason] = (refused[reason] ?? 0) + 1),
      storeFailed(_error, during) {
        if (during === 'decode') count.unusableRecords += 1;
        else count.storeFailures += 1;
      },
      unreadAnswer: () => void (count.unreadAnswers += 1),
    },
    counters: () => ({
      ...count,
      lost: endedBy.lost + endedBy.forgotten + count.recovered,
      endedBy: { ...endedBy },
      decisions: { ...decisions },
      refused: { ...refused },
      store: store.times(),
    }),
  };
}
