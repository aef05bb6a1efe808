import type { Route } from './route.ts';

/**
 * How a request was decided. `pinned`: it went to the backend of its session. `recovered`: that was lost, and it went
 * to where the session goes on. `new`: it belongs to no session and may open one. `modern`: it is of a revision without
 * sessions. `other`: it belongs to no session, and was balanced.
 */
export type DecisionKind = 'pinned' | 'recovered' | 'new' | 'modern' | 'other';

export function kindOf(route: Route): DecisionKind {
  if (route.kind === 'pinned') return route.recovered === true ? 'recovered' : 'pinned';
  if (route.modern === true) return 'modern';
  return route.turn === 'opening' ? 'new' : 'other';
}
