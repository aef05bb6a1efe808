import type { IncomingMessage, ServerResponse } from 'node:http';
import { originOf } from '../../backends/origin.ts';
import type { Guard } from '../../http/guard.ts';
import { routedRequestOf, type RoutedRequest } from '../../http/routed-request.ts';
import { isServedHere, type Route } from '../../routing/route.ts';
import { answerStop } from '../answer-stop.ts';
import { claimsHop, type ReplicaHop } from './replica-hop.ts';
import { sessionForwarder } from './session-forwarder.ts';

export interface ReplicaOptions {
  /** The origin of this process. @throws {SessionRoutingError} `invalid_option` while it cannot be told */
  readonly self: () => string;
  readonly hop: ReplicaHop;
}

/**
 * The middleware of a process that serves MCP itself: what belongs to it goes on to the app, requests of sessions of
 * other replicas are forwarded to them, by one hop.
 */
export function replicaOf<Req extends IncomingMessage, Res extends ServerResponse>(
  guard: Guard<Req, Res>,
  { self, hop }: ReplicaOptions,
): Guard<Req, Res> {
  const forward = sessionForwarder({ xfwd: true });

  return function serveOrForward(req, res, next) {
    let here: string;
    try {
      here = self();
    } catch (error) {
      next(error);
      return;
    }
    guard(req, res, (error) => {
      const routed = routedRequestOf(req);
      // Skipped, or refused and left to the app.
      if (error !== undefined || !routed || routed.refusal !== undefined) {
        next(error);
        return;
      }
      prepared(routed);
    });

    function prepared(routed: RoutedRequest): void {
      const preparing = routed.prepare();
      if (preparing) preparing.then(() => go(routed)).catch(next);
      else go(routed);
    }

    function go(routed: RoutedRequest): void {
      const owner = ownerElsewhere(routed.route, here);
      if (owner === undefined) serve(routed);
      else if (claimsHop(req)) routed.refuse('wrong_replica');
      else {
        hop.mark(req, owner);
        forward(req, res, next);
      }
    }

    function serve(routed: RoutedRequest): void {
      routed.forwarded = claimsHop(req) && hop.isProven(req, here);
      // What says nothing of MCP is left alone (A14).
      if (!isOfMcp(routed.route) && !routed.stops()) {
        next();
        return;
      }
      const destination = routed.destination();
      if (destination.kind === 'default') {
        routed.sent(here);
        next();
      } else if (destination.kind === 'refuse' && destination.reason === 'method_not_allowed') {
        // The app knows better what it has there.
        next();
      } else if (destination.kind !== 'backend') {
        answerStop(routed, destination);
      }
    }
  };
}

function ownerElsewhere(route: Route, here: string): string | undefined {
  return isServedHere(route, here) ? undefined : originOf(route.backendUrl);
}

/** Whether its answer may matter, to a session or to those who wait until this process has nothing to do. */
function isOfMcp(route: Route): boolean {
  return route.kind === 'pinned' || route.opening || route.modern === true;
}
