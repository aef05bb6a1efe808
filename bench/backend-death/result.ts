import type { Answer, Kind } from './client.ts';
import type { History } from './history.ts';

export const KINDS: readonly Kind[] = ['ok', 'again', 'refused', 'error', 'broken'];

/** What bench/results/ keeps of a run. Times are in ms; 0 is the death. */
export interface Result {
  readonly date: string;
  readonly node: string;
  readonly haproxy: string;
  readonly nginx: string;
  readonly cores: number;
  /** What a backend answers to a session it does not know. */
  readonly unknownStatus: number;
  readonly sessions: number;
  readonly callsPerSecond: number;
  readonly from: number;
  readonly to: number;
  /** When the dead backend, empty, took connections again. */
  readonly restarted: number;
  readonly bucket: number;
  readonly fronts: readonly FrontResult[];
}

export interface FrontResult {
  readonly name: string;
  readonly title: string;
  readonly drawn: boolean;
  /** Answers in each bucket, from the first to the last, with spaces between them. */
  readonly answers: Readonly<Record<Kind, string>>;
  readonly summary: Summary;
}

export interface Summary extends History {
  /** Answers in the 10 s from the death to the order to restart. */
  readonly whileDead: Readonly<Record<Kind, number>>;
  readonly clientsOfDead: number;
  /** From the death to the first call that worked again, over the clients of the dead backend; null: none did. */
  readonly medianBack: number | null;
  readonly slowestBack: number | null;
  /** Answers that were not 2xx, from the death to the end, to clients of the other backends. */
  readonly failuresOfOthers: number;
  /** The longest that a client of another backend waited for an answer from the death to the end. */
  readonly slowestOfOthers: number;
  /** CPU time of the front for each answer, from the first to the last bucket (us); null where it cannot be told. */
  readonly cpuPerAnswer: number | null;
}

export interface Window {
  readonly killed: number;
  readonly restarting: number;
  readonly restarted: number;
  readonly ended: number;
  /** What each front used from the first to the last bucket. */
  readonly cpu: readonly (number | null)[];
}

export function bucketsOf(
  answers: readonly Answer[],
  killed: number,
  { from, to, bucket }: Pick<Result, 'from' | 'to' | 'bucket'>,
): Record<Kind, string> {
  const counts = new Map(KINDS.map((kind) => [kind, Array<number>((to - from) / bucket).fill(0)]));
  for (const { kind, at } of answers) {
    const row = counts.get(kind) ?? [];
    const place = Math.floor((at - killed - from) / bucket);
    if (place >= 0 && place < row.length) row[place] = (row[place] ?? 0) + 1;
  }
  return perKind((kind) => (counts.get(kind) ?? []).join(' '));
}

export function summaryOf(
  answers: readonly Answer[],
  ofDead: ReadonlySet<string>,
  { killed, restarting, ended }: Omit<Window, 'restarted' | 'cpu'>,
): Omit<Summary, keyof History | 'cpuPerAnswer'> {
  const whileDead = answers.filter(({ at }) => at >= killed && at < restarting);
  const others = answers.filter(
    ({ client, at }) => !ofDead.has(client) && at >= killed && at < ended,
  );
  const worked = new Map<string, number>();
  for (const { client, kind, isCall, sent, at } of answers) {
    if (!ofDead.has(client) || kind !== 'ok' || !isCall || sent < killed) continue;
    worked.set(client, Math.min(worked.get(client) ?? Infinity, at));
  }
  const back = [...ofDead].map((client) => (worked.get(client) ?? Infinity) - killed);
  back.sort((a, b) => a - b);
  return {
    whileDead: perKind((kind) => whileDead.filter((answer) => answer.kind === kind).length),
    clientsOfDead: ofDead.size,
    medianBack: finite(back[Math.floor(back.length / 2)]),
    slowestBack: finite(back.at(-1)),
    failuresOfOthers: others.filter(({ kind }) => kind !== 'ok').length,
    slowestOfOthers: Math.max(0, ...others.map(({ sent, at }) => at - sent)),
  };
}

function finite(time = Infinity): number | null {
  return Number.isFinite(time) ? time : null;
}

function perKind<T>(of: (kind: Kind) => T): Record<Kind, T> {
  return {
    ok: of('ok'),
    again: of('again'),
    refused: of('refused'),
    error: of('error'),
    broken: of('broken'),
  };
}
