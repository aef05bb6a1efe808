import type { Logger, SessionEvents } from './options.ts';
import { REFUSALS, type Reason } from './protocol/reasons.ts';
import { messageOf, tell } from './store/user-code.ts';

/** Counted since the middleware was made. */
export interface Counters {
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

export interface Reporter {
  readonly opened: (key: string, backend: string | undefined) => void;
  readonly recovered: (key: string, backend: string) => void;
  readonly ended: (key: string) => void;
  readonly refused: (reason: Reason, key: string | undefined) => void;
  readonly storeFailed: (error: unknown, during: string) => void;
  readonly unreadAnswer: () => void;
  readonly backendDown: (backend: string) => void;
  readonly backendUp: (backend: string) => void;
  readonly discoveryFailed: (error: unknown) => void;
  readonly counters: () => Counters;
}

/** A store that is down fails on every request: it is logged once in this time (ms). */
const LOG_INTERVAL = 1000;

/** Counts, logs and tells listeners. Sessions are named by the first 12 hex digits of their key, never by their id. */
export function reporterOf(
  { logger, on }: { readonly logger?: Logger; readonly on?: SessionEvents },
  now: () => number,
): Reporter {
  let opened = 0;
  let recovered = 0;
  let ended = 0;
  let storeFailures = 0;
  let unusableRecords = 0;
  let unreadAnswers = 0;
  let loggedAt = -Infinity;
  let discoveryLoggedAt = -Infinity;
  const refused: Partial<Record<Reason, number>> = {};

  return {
    opened(key, backend) {
      opened += 1;
      const session = short(key);
      tell(() => logger?.info(`session ${session} opened on ${backend ?? 'the default target'}`));
      tell(() => on?.opened?.({ session, backend }));
    },
    recovered(key, backend) {
      recovered += 1;
      const session = short(key);
      tell(() => logger?.warn(`session ${session} was lost, and opened anew on ${backend}`));
      tell(() => on?.recovered?.({ session, backend }));
    },
    ended(key) {
      ended += 1;
      const session = short(key);
      tell(() => logger?.info(`session ${session} ended`));
      tell(() => on?.ended?.({ session }));
    },
    refused(reason, key) {
      refused[reason] = (refused[reason] ?? 0) + 1;
      const session = key === undefined ? undefined : short(key);
      const { status } = REFUSALS[reason];
      const of = session === undefined ? '' : `, session ${session}`;
      if (status >= 500) tell(() => logger?.warn(`${reason} (${status})${of}`));
      tell(() => on?.refused?.({ reason, session }));
    },
    storeFailed(error, during) {
      if (during === 'decode') unusableRecords += 1;
      else storeFailures += 1;
      if (now() - loggedAt >= LOG_INTERVAL) {
        loggedAt = now();
        tell(() => logger?.error(`session store failed (${during}): ${messageOf(error)}`));
      }
      tell(() => on?.storeFailed?.({ error, during }));
    },
    unreadAnswer() {
      unreadAnswers += 1;
    },
    backendDown(backend) {
      tell(() => logger?.warn(`backend ${backend} is down`));
      tell(() => on?.backendDown?.({ backend }));
    },
    backendUp(backend) {
      tell(() => logger?.info(`backend ${backend} is up`));
      tell(() => on?.backendUp?.({ backend }));
    },
    discoveryFailed(error) {
      if (now() - discoveryLoggedAt >= LOG_INTERVAL) {
        discoveryLoggedAt = now();
        tell(() => logger?.error(`backends could not be listed: ${messageOf(error)}`));
      }
      tell(() => on?.discoveryFailed?.({ error }));
    },
    counters: () => ({
      opened,
      recovered,
      ended,
      refused: { ...refused },
      storeFailures,
      unusableRecords,
      unreadAnswers,
    }),
  };
}

function short(key: string): string {
  return key.slice(0, 12);
}
