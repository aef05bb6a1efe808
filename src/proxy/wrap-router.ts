import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { originOf } from '../backends/origin.ts';
import { routedRequestOf, type RoutedRequest } from '../http/routed-request.ts';
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

  options.router = function routeSession(req: IncomingMessage, ...rest: unknown[]): unknown {
    const routed = routedRequestOf(req);
    if (!routed) return isUpgradeOfSession(req) ? refused(req) : theirs?.(req, ...rest);
    const url = req.url ?? '/';
    // The filter reads "//name/path" as a host and a path: it was not the path that it has matched.
    const misread = options.pathFilter !== undefined && /^[/\\]{2}/.test(url);
    if (misread || hasDotSegments(url)) {
      routed.refuse('invalid_path');
      return answered();
    }
    // The proxies wait for a promise; where there is nothing to wait for they get none.
    const preparing = routed.prepare();
    return preparing ? preparing.then(place) : place();

    function place(): unknown {
      if (!routed) return undefined;
      const asksTheirs = theirs && routed.route.kind === 'open' && !routed.stops();
      return asksTheirs ? chosenBy(theirs, req, rest, routed) : destinationOf(routed);
    }
  };
}

/** Where the app's own router sends a request without a session. */
async function chosenBy(
  router: Router,
  req: IncomingMessage,
  rest: unknown[],
  routed: RoutedRequest,
): Promise<unknown> {
  const chosen = await router(req, ...rest);
  if (chosen === undefined || chosen === null) return destinationOf(routed);
  const url = targetUrl(chosen);
  const { route } = routed;
  if (route.kind === 'open' && route.avoids !== undefined && originOf(url) === route.avoids) {
    routed.refuse('task_lost');
    return answered();
  }
  routed.chosen(url);
  return chosen;
}

function destinationOf(routed: RoutedRequest): unknown {
  // The plugin hears of the answer before the proxy does.
  const destination = routed.destination(true);
  if (destination.kind === 'backend') return parsed(destination.url);
  if (destination.kind === 'default') return undefined;
  answerStop(routed, destination);
  return answered();
}

// The proxies would parse it again for each request.
const targets = new LRUCache<string, URL | string>({ max: 1000 });

/** http-proxy reads neither the path nor the IPv6 address of a `URL`: those it has to parse itself. */
function parsed(url: string): URL | string {
  const before = targets.get(url);
  if (before !== undefined) return before;
  const target = new URL(url);
  const plain = target.pathname === '/' && target.search === '' && !target.hostname.startsWith('[');
  targets.set(url, plain ? target : url);
  return plain ? target : url;
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
