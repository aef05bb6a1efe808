import {
  ValueType,
  type Attributes,
  type BatchObservableResult,
  type Histogram,
  type Meter,
  type Observable,
} from '@opentelemetry/api';
import type { BackendInfo } from '../backends/backend.ts';
import type { Stats } from '../stats.ts';
import { STORE_BOUNDS } from '../store-times.ts';
import type { StoreFailure, StoreVerb } from '../store/store-verb.ts';
import {
  BACKEND,
  DECISION,
  ERROR_TYPE,
  OPERATION,
  PREFIX,
  REASON,
  RESULT,
  STATE,
} from './names.ts';

/** What one middleware tells. */
export interface Snapshot {
  readonly stats: Stats;
  readonly backends: readonly BackendInfo[];
  /** Those whose sessions count: a middleware that was closed has no backends any more, and has had some. */
  readonly counted: readonly BackendInfo[];
}

type Point = readonly [value: number, attributes?: Attributes | undefined];
type Read = (snapshot: Snapshot) => readonly Point[];
type Row = readonly [name: string, unit: string, description: string, read: Read];

/** What only grows. */
const COUNTERS: readonly Row[] = [
  [
    'decisions',
    '{decision}',
    'Requests by how they were routed',
    ({ stats }) => each(DECISION, stats.decisions),
  ],
  [
    'refusals',
    '{request}',
    'Requests that were answered in place of a backend',
    ({ stats }) => each(REASON, stats.refused),
  ],
  ['sessions.opened', '{session}', 'Sessions that were opened', ({ stats }) => [[stats.opened]]],
  [
    'sessions.ended',
    '{session}',
    'Sessions that are over',
    ({ stats }) => each(REASON, stats.endedBy),
  ],
  [
    'sessions.lost',
    '{session}',
    'Sessions whose backend is gone or has forgotten them',
    ({ stats }) => [[stats.lost]],
  ],
  [
    'sessions.recovered',
    '{session}',
    'Lost sessions that were opened anew',
    ({ stats }) => [[stats.recovered]],
  ],
  [
    'store.failures',
    '{failure}',
    'Failures of the session store',
    ({ stats }) => [[stats.storeFailures]],
  ],
  [
    'store.unusable_records',
    '{record}',
    'Records that could not be read',
    ({ stats }) => [[stats.unusableRecords]],
  ],
  [
    'cache.lookups',
    '{lookup}',
    'Sessions that were looked for in the cache',
    ({ stats }) => each(RESULT, { hit: stats.cacheHits, miss: stats.cacheMisses }),
  ],
  [
    'unread_answers',
    '{answer}',
    'Answers that may have created a task and were too long to be read',
    ({ stats }) => [[stats.unreadAnswers]],
  ],
  [
    'backend.sessions.opened',
    '{session}',
    'Sessions that a backend has opened',
    ({ counted }) => counted.map(({ url, opened }) => [opened, { [BACKEND]: url }]),
  ],
];

const STATES = ['up', 'down', 'draining'] as const;

/** What is so now. */
const LEVELS: readonly Row[] = [
  ['streams', '{stream}', 'Event streams that are open', ({ stats }) => [[stats.streams]]],
  ['cache.sessions', '{session}', 'Sessions in the cache', ({ stats }) => [[stats.cached]]],
  [
    'backend.status',
    '{backend}',
    'Backends by their state: 1 for the one that they are in, 0 for the others',
    ({ backends }) =>
      backends.flatMap(({ url, state: now }) =>
        STATES.map((state) => [Number(state === now), { [BACKEND]: url, [STATE]: state }] as const),
      ),
  ],
  [
    'backend.requests',
    '{request}',
    'Requests that a backend has not answered to the end',
    ({ backends }) => backends.map(({ url, requests }) => [requests, { [BACKEND]: url }]),
  ],
  [
    'backend.streams',
    '{stream}',
    'Event streams that are open to a backend',
    ({ backends }) => backends.map(({ url, streams }) => [streams, { [BACKEND]: url }]),
  ],
];

/** The instruments of one meter, for all middlewares that report to it: what several of them tell is added up. */
export class Instruments {
  readonly #duration: Histogram;

  constructor(meter: Meter, snapshots: () => readonly Snapshot[]) {
    this.#duration = meter.createHistogram(`${PREFIX}.store.operation.duration`, {
      unit: 's',
      description: 'How long the session store took to answer, or to fail',
      advice: { explicitBucketBoundaries: [...STORE_BOUNDS] },
    });
    const options = { valueType: ValueType.INT };
    const counters = COUNTERS.map(([name, unit, description, read]) => {
      const given = { ...options, unit, description };
      return { read, instrument: meter.createObservableCounter(`${PREFIX}.${name}`, given) };
    });
    const levels = LEVELS.map(([name, unit, description, read]) => {
      const given = { ...options, unit, description };
      const instrument = meter.createObservableUpDownCounter(`${PREFIX}.${name}`, given);
      return { read, instrument, before: new Map<string, Attributes | undefined>() };
    });
    const all = [...counters, ...levels].map(({ instrument }) => instrument);
    meter.addBatchObservableCallback((result) => {
      const now = snapshots();
      for (const { instrument, read } of counters) observe(result, instrument, sumOf(read, now));
      for (const { instrument, read, before } of levels) {
        const sums = sumOf(read, now);
        // What an SDK does not hear of again stays as it was: a backend that is gone would be up for ever.
        for (const [key, attributes] of before) {
          if (!sums.has(key)) result.observe(instrument, 0, attributes);
        }
        before.clear();
        for (const [key, [, attributes]] of sums) before.set(key, attributes);
        observe(result, instrument, sums);
      }
    }, all);
  }

  stored(verb: StoreVerb, seconds: number, failure: StoreFailure | undefined): void {
    this.#duration.record(seconds, attributesOf(verb, failure));
  }
}

/** `_OTHER`: the conventions' name for an error without a name of its own. */
function attributesOf(verb: StoreVerb, failure: StoreFailure | undefined): Attributes {
  if (failure === undefined) return { [OPERATION]: verb };
  return { [OPERATION]: verb, [ERROR_TYPE]: failure === 'timeout' ? 'timeout' : '_OTHER' };
}

function each(attribute: string, counts: Readonly<Record<string, number>>): Point[] {
  return Object.entries(counts).map(([name, count]) => [count, { [attribute]: name }]);
}

function sumOf(read: Read, snapshots: readonly Snapshot[]): Map<string, Point> {
  const sums = new Map<string, Point>();
  for (const snapshot of snapshots) {
    for (const [value, attributes] of read(snapshot)) {
      const key = JSON.stringify(attributes ?? {});
      const [before] = sums.get(key) ?? [0];
      sums.set(key, [before + value, attributes]);
    }
  }
  return sums;
}

function observe(
  result: BatchObservableResult,
  instrument: Observable,
  sums: ReadonlyMap<string, Point>,
): void {
  for (const [value, attributes] of sums.values()) result.observe(instrument, value, attributes);
}
