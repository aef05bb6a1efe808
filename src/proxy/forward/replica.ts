import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Guard } from '../../http/guard.ts';
import { removeHeader } from '../../http/remove-header.ts';
import { routedRequestOf, type RoutedRequest } from '../../http/routed-request.ts';
import { SESSION_HEADER } from '../../protocol/session-id.ts';
import { isForApp, mayBeOfMcp, ownerElsewhere } from '../../routing/replicas.ts';
import { answerStop } from '../answer-stop.ts';
import { claimsHop, HOP_HEADER, type ReplicaHop } from './replica-hop.ts';
import { sessionForwarder } from './session-forwarder.ts';

export interface Replica<Req, Res> {
  readonly middleware: Guard<Req, Res>;
  /** Whether another replica has forwarded the request, and has signed that; before the middleware and after it. */
  isForwarded(req: IncomingMessage): boolean;
}

export interface ReplicaOptions {
  /** The origin of this process. @throws {SessionRoutingError} `invalid_option` while it cannot be told */
  readonly self: () => string;
  readonly hop: ReplicaHop;
  /** Told of the first request that was forwarded here by mistake. */
  readonly onAstray: (owner: string) => void;
}

/**
 * A process that serves MCP itself: what belongs to it goes on to the app, requests of sessions of other replicas are
 * forwarded to them, by one hop.
 */
export function replicaOf<Req extends IncomingMessage, Res extends ServerResponse>(
  guard: Guard<Req, Res>,
  { self, hop, onAstray }: ReplicaOptions,
): Replica<Req, Res> {
  const forward = sessionForwarder({ xfwd: true });
  let toldAstray = false;

  function isForwarded(req: IncomingMessage): boolean {
    const known = routedRequestOf(req)?.forwarded;
    return known ?? (claimsHop(req) && hop.isProven(req, self()));
  }

  const middleware: Guard<Req, Res> = function serveOrForward(req, res, next) {
    let here: string;
    try {
      here = self();
    } catch (error) {
      next(saysMcp(req) ? error : undefined);
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
      const owner = routed.stops() ? undefined : ownerElsewhere(routed.route, here);
      if (owner === undefined) {
        serve(routed);
      } else if (claimsHop(req)) {
        endAstray(routed, owner).catch(next);
      } else {
        hop.mark(req, owner);
        // It prepares the request once more, which finds nothing left to do.
        forward(req, res, next);
      }
    }

    /** Where the owner should be is this process, which is another one: nobody can serve the session any more. */
    async function endAstray(routed: RoutedRequest, owner: string): Promise<void> {
      // A client could claim it to have something told that is not so.
      if (!toldAstray && (!hop.signs || hop.isProven(req, owner))) {
        toldAstray = true;
        onAstray(owner);
      }
      answerStop(routed, await routed.astray());
    }

    function serve(routed: RoutedRequest): void {
      routed.forwarded = isForwarded(req);
      // Whoever is told of it could use it again for a minute.
      if (claimsHop(req)) removeHeader(req, HOP_HEADER);
      // What says nothing of MCP is left alone (A14).
      if (!mayBeOfMcp(routed.route) && !routed.stops()) {
        next();
        return;
      }
      const byQuery = req.headers[SESSION_HEADER] === undefined;
      const destination = routed.destination();
      if (destination.kind === 'default') {
        routed.sent(here);
        next();
      } else if (destination.kind === 'refuse' && isForApp(destination.reason, byQuery)) {
        next();
      } else if (destination.kind !== 'backend') {
        answerStop(routed, destination);
      }
    }
  };
  return { middleware, isForwarded };
}

/** Without `self` nobody can tell what is to be done with these. */
function saysMcp({ method, headers }: IncomingMessage): boolean {
  return method === 'POST' || headers[SESSION_HEADER] !== undefined;
}
