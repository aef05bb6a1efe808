import type { ServerEntry } from '../fixtures/faults/server-entry.ts';

export interface FaultVerdict {
  /** Requests of a session at another process than the one that opened it. */
  readonly astray: readonly string[];
  /** Calls that were executed more than once. */
  readonly repeated: readonly string[];
}

export const FAULTLESS: FaultVerdict = { astray: [], repeated: [] };

/** Judges a run by what the servers themselves have written down. */
export function judgeServers(history: readonly ServerEntry[]): FaultVerdict {
  const owners = new Map<string, string>();
  for (const { did, session, instance } of history) {
    if (did === 'opened') owners.set(session, instance);
  }
  const astray = history
    .filter(({ session, instance }) => owners.get(session) !== instance)
    .map(({ session, instance, did }) => `${session}: ${did} at ${instance}`);
  const nonces = new Set<string>();
  const repeated = history.flatMap(({ did, nonce }) => {
    if (did !== 'executed' || nonce === undefined) return [];
    const first = !nonces.has(nonce);
    nonces.add(nonce);
    return first ? [] : [nonce];
  });
  return { astray, repeated };
}
