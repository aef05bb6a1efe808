import type { Tally } from './tally.ts';

export type State = 'ok' | 'note' | 'problem' | 'info';

/** One thing that was examined: how it stands, and what to do about it. */
export interface Line {
  readonly about: string;
  readonly state: State;
  readonly says: string;
  readonly remedy?: string;
  /** To be copied. */
  readonly command?: string;
}

/** Not 100 unless it is all. */
export function percent(part: number, whole: number): number {
  return part === whole ? 100 : Math.min(99, Math.round((100 * part) / whole));
}

/** Milliseconds, as they are read. */
export function time(ms: number): string {
  return `${ms.toFixed(Math.abs(ms) < 10 ? 1 : 0)} ms`;
}

/** `199 x HTTP 404, 1 x HTTP 503` */
export function shown(tally: Tally): string {
  return Object.entries(tally)
    .map(([what, count]) => `${count} x ${what}`)
    .join(', ');
}
