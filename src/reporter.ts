import type { Observer } from './observers.ts';
import type { Logger, SessionEvents } from './options.ts';
import { REFUSALS } from './protocol/reasons.ts';
import { messageOf, tell } from './store/user-code.ts';

/** A store that is down fails on every request: it is logged once in this time (ms). */
const LOG_INTERVAL = 1000;

/** Logs, and tells the listeners of `on`. One that throws keeps nothing from the others. */
export function reporterOf(
  { logger, on }: { readonly logger?: Logger; readonly on?: SessionEvents },
  now: () => number,
): Observer {
  let loggedAt = -Infinity;
  let discoveryLoggedAt = -Infinity;

  return {
    opened(session, backend) {
      tell(() => logger?.info(`session ${session} opened on ${backend ?? 'the default target'}`));
      tell(() => on?.opened?.({ session, backend }));
    },
    recovered(session, backend) {
      tell(() => logger?.warn(`session ${session} was lost, and opened anew on ${backend}`));
      tell(() => on?.recovered?.({ session, backend }));
    },
    ended(session, reason) {
      tell(() => logger?.info(`session ${session} ended (${reason})`));
      tell(() => on?.ended?.({ session, reason }));
    },
    refused(reason, session) {
      const { status } = REFUSALS[reason];
      const of = session === undefined ? '' : `, session ${session}`;
      if (status >= 500) tell(() => logger?.warn(`${reason} (${status})${of}`));
      tell(() => on?.refused?.({ reason, session }));
    },
    storeFailed(error, during) {
      if (now() - loggedAt >= LOG_INTERVAL) {
        loggedAt = now();
        tell(() => logger?.error(`session store failed (${during}): ${messageOf(error)}`));
      }
      tell(() => on?.storeFailed?.({ error, during }));
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
  };
}
