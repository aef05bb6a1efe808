import type { IncomingMessage } from 'node:http';
import { routedRequestOf } from '../http/routed-request.ts';
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
  const destination = routed.destination();
  if (destination.kind === 'refuse') throw new SessionRoutingError(destination.reason);
  return (destination.kind === 'backend' ? destination.url : undefined) as Target;
}
