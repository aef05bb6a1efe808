import { timingSafeEqual } from 'node:crypto';
import { PRINCIPAL } from '../store/record.ts';
import { markOf } from '../store/seal.ts';
import type { Lookup } from '../store/session-directory.ts';

/** Who sends a request, as the app has authenticated it. */
export interface Caller {
  /** `undefined`: nobody in particular. */
  readonly principal: string | undefined;
}

const UNKNOWN: Lookup = Object.freeze({ kind: 'unknown' });

/**
 * What a caller may know of a session: one of somebody else was never issued, whether it is live or over (A11).
 * `caller`: `undefined` where principals are not told apart.
 */
export function asSeenBy(caller: Caller | undefined, sessionId: string, lookup: Lookup): Lookup {
  if (!caller || lookup.kind === 'unknown' || lookup.kind === 'unavailable') return lookup;
  const mark = lookup.kind === 'live' ? lookup.record[PRINCIPAL] : lookup.principal;
  return isMarkOf(caller, sessionId, mark) ? lookup : UNKNOWN;
}

/** The member of the record of a session that a caller opens. */
export function markFor(caller: Caller | undefined, sessionId: string): string | undefined {
  return caller?.principal === undefined ? undefined : markOf(sessionId, caller.principal);
}

function isMarkOf(caller: Caller, sessionId: string, mark: string | undefined): boolean {
  const own = markFor(caller, sessionId);
  if (own === undefined || mark === undefined) return own === mark;
  const [one, other] = [Buffer.from(own), Buffer.from(mark)];
  return one.length === other.length && timingSafeEqual(one, other);
}
