import { createHash } from 'node:crypto';

/** What a request of a round carries in its URL. It has a sum of itself, so that no change of it is another mark. */
export function markOf(round: number, part: number): string {
  const sum = createHash('sha256').update(`${round} ${part}`).digest('hex').slice(0, 8);
  return `m${round}n${part}s${sum}z`;
}

const MARK = /[?&]u=(m(\d+)n(\d+)s[0-9a-f]{8}z)/;

/** The mark in a URL, and its round; `undefined` if there is none, or one that was changed. */
export function markIn(url: string): { readonly mark: string; readonly round: number } | undefined {
  const [, mark, round, part] = MARK.exec(url) ?? [];
  if (mark === undefined || mark !== markOf(Number(round), Number(part))) return undefined;
  return { mark, round: Number(round) };
}
