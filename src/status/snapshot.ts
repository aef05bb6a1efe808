import type { DecidedRequest } from '../http/request-watch.ts';
import { REFUSALS, type Reason } from '../protocol/reasons.ts';
import type { Feed, RecentDecision } from './feed.ts';
import type { BackendStatus, StatusSource } from './status-source.ts';

/** The process that shows itself: behind a load balancer the next request may reach another one. */
export interface GatewayName {
  /** Not to be guessed: a button has to know it. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** In milliseconds since 1970. */
  readonly since: number;
}

type Kind = DecidedRequest['kind'];

/** What of the statistics is shown. */
const SHOWN = [
  'opened',
  'ended',
  'lost',
  'recovered',
  'streams',
  'cached',
  'storeFailures',
] as const;

/** What the page gets once a second. */
export interface Snapshot {
  readonly at: number;
  readonly gateway: GatewayName;
  readonly numbers: Readonly<Record<(typeof SHOWN)[number] | 'refused', number>>;
  /** Of each of the last 60 seconds, the oldest first. */
  readonly calls: readonly number[];
  /** In the last minute. */
  readonly kinds: Readonly<Record<Kind, number>>;
  readonly backends: readonly BackendSnapshot[];
  readonly refusals: readonly RefusalSnapshot[];
  readonly decisions: readonly RecentDecision[];
}

export interface BackendSnapshot extends BackendStatus {
  readonly calls: readonly number[];
  /** Answers of 500 and above in the last minute. */
  readonly failures: number;
}

export interface RefusalSnapshot {
  readonly reason: string;
  readonly status: number;
  readonly count: number;
  /** In the last minute. */
  readonly recent: number;
}

const KINDS: readonly Kind[] = [
  ...(['pinned', 'recovered', 'new'] as const),
  ...(['modern', 'other', 'refused'] as const),
];

export function snapshotOf(
  source: StatusSource,
  feed: Feed,
  { gateway, at }: { readonly gateway: GatewayName; readonly at: number },
): Snapshot {
  const stats = source.stats();
  const refusals = Object.entries(stats.refused);
  const numbers = SHOWN.map((name): [string, number] => [name, stats[name]]);
  const kinds = KINDS.map((kind): [string, number] => [kind, feed.kinds.sum(kind)]);
  return {
    at,
    gateway,
    numbers: {
      ...(Object.fromEntries(numbers) as Record<(typeof SHOWN)[number], number>),
      refused: refusals.reduce((sum, [, count]) => sum + count, 0),
    },
    calls: feed.calls.of(),
    kinds: Object.fromEntries(kinds) as Record<Kind, number>,
    backends: source.backends().map((backend) => ({
      ...backend,
      calls: feed.calls.of(backend.url),
      failures: feed.failures.sum(backend.url),
    })),
    refusals: refusals.map(([reason, count]) => ({
      reason,
      status: REFUSALS[reason as Reason].status,
      count,
      recent: feed.reasons.sum(reason),
    })),
    decisions: feed.recent(),
  };
}
