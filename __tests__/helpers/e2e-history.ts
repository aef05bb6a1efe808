import type { HistoryEntry } from '../fixtures/e2e/history.ts';

export interface Verdict {
  /** The backend that opened each session. */
  readonly owners: ReadonlyMap<string, string>;
  /** Tool calls of these sessions that arrived at the backend that opened their session. */
  readonly ownCalls: (sessions: readonly string[], method?: string) => number;
  /** Sessions and backends of requests that arrived anywhere but at their session's own backend. */
  readonly astray: readonly string[];
  /** Calls that arrived, or ran, more than once. */
  readonly repeated: readonly string[];
}

/** Judges a run by what the backends themselves have written down. */
export function judge(history: readonly HistoryEntry[]): Verdict {
  const owners = new Map<string, string>();
  const openedTwice: string[] = [];
  for (const entry of history) {
    if (entry.kind !== 'opened') continue;
    const owner = owners.get(entry.session);
    if (owner !== undefined && owner !== entry.instance) {
      openedTwice.push(`${entry.session} opened at ${owner} and at ${entry.instance}`);
    }
    owners.set(entry.session, entry.instance);
  }
  const ofSessions = history.flatMap((entry) =>
    entry.kind === 'arrived' && entry.session !== undefined
      ? [{ ...entry, own: owners.get(entry.session) === entry.instance }]
      : [],
  );
  const astray = ofSessions
    .filter(({ own }) => !own)
    .map(({ session, instance, rpc }) => {
      const owner = owners.get(session ?? '') ?? 'nobody';
      return `${rpc.join() || 'a request'} of ${session} (${owner}) arrived at ${instance}`;
    });
  return {
    owners,
    ownCalls(sessions, method = 'tools/call') {
      const calls = ofSessions.filter(({ own, rpc }) => own && rpc.includes(method));
      const wanted = new Set(sessions);
      return calls.filter(({ session }) => wanted.has(session ?? '')).length;
    },
    astray: [...openedTwice, ...astray],
    repeated: [
      ...repeated(history.flatMap((entry) => (entry.kind === 'arrived' ? entry.nonces : []))),
      ...repeated(history.flatMap((entry) => (entry.kind === 'executed' ? [entry.nonce] : []))),
    ],
  };
}

function repeated(nonces: readonly string[]): string[] {
  const seen = new Set<string>();
  return nonces.filter((nonce) => seen.size === seen.add(nonce).size);
}
