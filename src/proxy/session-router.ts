import type { IncomingMessage } from 'node:http';
import { routedRequestOf, type RoutedRequest } from '../http/routed-request.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { hasDotSegments } from './dot-segments.ts';

/**
 * The `router` of http-proxy-middleware 3 and 4: the backend of the request's session, or the one chosen for a
 * request without a session. `undefined` (the proxy then uses its `target`) if there are no `backends`, or if
 * `mcpSessionRouting` has not seen the request.
 *
 * @throws {SessionRoutingError} where there is nowhere to go; it reaches `next(err)` with a `status`
 * @example
 * createProxyMiddleware({ router: sessionRouter, plugins: [sessionPlugin] })
 */
export function sessionRouter<Target = string>(
  req: IncomingMessage,
  _res?: unknown,
  _options?: unknown,
): Target {
  const routed = routedRequestOf(req);
  if (!routed) return undefined as Target;
  if (hasDotSegments(req.url ?? '/')) throw new SessionRoutingError('invalid_path');
  const preparing = routed.prepare();
  // The proxies wait for a promise; where there is nothing to wait for they get none.
  return (preparing ? preparing.then(() => placeOf(routed)) : placeOf(routed)) as Target;
}

function placeOf(routed: RoutedRequest): string | undefined {
  const destination = routed.destination();
  if (destination.kind === 'refuse') throw new SessionRoutingError(destination.reason);
  return destination.kind === 'backend' ? destination.url : undefined;
}
