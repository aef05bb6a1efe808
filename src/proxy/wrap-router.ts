import type { IncomingMessage } from 'node:http';
import { routedRequestOf } from '../http/routed-request.ts';
import { SESSION_HEADER } from '../protocol/session-id.ts';
import { answerStop } from './answer-stop.ts';
import { hasDotSegments } from './dot-segments.ts';
import { lookUpRouterTable } from './router-table.ts';
import { sessionRouter } from './session-router.ts';
import { targetUrl } from './target-url.ts';

type Router = (req: IncomingMessage, ...rest: unknown[]) => unknown;

/**
 * Puts the session in front of the `router` that the options have, if any: theirs chooses for requests without a
 * session, and is never asked for a request that has one.
 */
export function wrapRouter(options: { router?: unknown; pathFilter?: unknown }): void {
  const theirs = routerOf(options.router);

  options.router = async function routeSession(
    req: IncomingMessage,
    ...rest: unknown[]
  ): Promise<unknown> {
    const routed = routedRequestOf(req);
    if (!routed) return isUpgradeOfSession(req) ? refused(req) : theirs?.(req, ...rest);
    const url = req.url ?? '/';
    // The filter reads "//name/path" as a host and a path: it was not the path that it has matched.
    const misread = options.pathFilter !== undefined && /^[/\\]{2}/.test(url);
    if (misread || hasDotSegments(url)) {
      routed.refuse('invalid_path');
      return answered();
    }
    await routed.prepare();
    if (routed.route.kind === 'open' && theirs && !routed.stops()) {
      const chosen = await theirs(req, ...rest);
      if (chosen !== undefined && chosen !== null) {
        routed.chosen(targetUrl(chosen));
        return chosen;
      }
    }
    const destination = routed.destination();
    if (destination.kind === 'backend') return destination.url;
    if (destination.kind === 'default') return undefined;
    answerStop(routed, destination);
    return answered();
  };
}

function routerOf(router: unknown): Router | undefined {
  if (router === sessionRouter) return undefined;
  if (typeof router === 'function') return router as Router;
  if (typeof router !== 'object' || router === null) return undefined;
  return (req) => lookUpRouterTable(router, req);
}

/** Upgrades pass all middleware by, and no revision of MCP has them: nobody has looked whose session it is. */
function isUpgradeOfSession(req: IncomingMessage): boolean {
  return req.headers.upgrade !== undefined && req.headers[SESSION_HEADER] !== undefined;
}

function refused(req: IncomingMessage): Promise<never> {
  req.socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  return answered();
}

/** The client has its answer. The proxies know no other way to stop than not to be told where to go. */
function answered(): Promise<never> {
  return new Promise(() => {});
}
