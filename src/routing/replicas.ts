import { originOf } from '../backends/origin.ts';
import type { Reason } from '../protocol/reasons.ts';
import type { Route } from './route.ts';

/** Whether the process with this origin serves it: a session of its own, or what belongs to no session. */
export function isServedHere(route: Route, self: string): boolean {
  return route.kind === 'open' || originOf(route.backendUrl) === self;
}

/** The replica that has opened the session of a request, if that is not the one with this origin. */
export function ownerElsewhere(route: Route, self: string): string | undefined {
  return isServedHere(route, self) ? undefined : originOf(route.backendUrl);
}

/** Whether its answer may matter, to a session or to those who wait until this process has nothing to do. */
export function mayBeOfMcp(route: Route): boolean {
  return route.kind === 'pinned' || route.opening || route.modern === true;
}

/**
 * Whether the app is asked in place of a refusal: what this process does not know may be something of the app, which
 * knows better (A14). `byQuery`: no header has named a session.
 */
export function isForApp(reason: Reason, byQuery: boolean): boolean {
  if (reason === 'method_not_allowed') return true;
  return byQuery && (reason === 'unknown_session' || reason === 'invalid_session_id');
}
