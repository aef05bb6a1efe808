import type { IncomingMessage, ServerResponse } from 'node:http';
import { isOver, routedRequestOf } from '../../http/routed-request.ts';
import { SessionRoutingError } from '../../protocol/errors.ts';
import type { Destination } from '../../routing/route.ts';
import { answerStop } from '../answer-stop.ts';
import { hasDotSegments } from '../dot-segments.ts';
import { originForm } from '../framing.ts';
import { closeWithConnection } from '../pipelined.ts';
import { Forwarding } from './forwarding.ts';
import { forwarderSettings, type SessionForwarderOptions } from './options.ts';
import { Upstreams } from './upstreams.ts';

/** A handler for Express and for `node:http`. */
export type SessionForwarder = (
  req: IncomingMessage,
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/**
 * Forwards requests to the backends that `mcpSessionRouting` has found for them, as a stream in both directions.
 * Path and query are those that the client has sent, wherever the forwarder is mounted.
 *
 * @throws {SessionRoutingError} `invalid_option`, with the remedy in the message
 * @example
 * app.use(mcpSessionRouting(store, { backends }));
 * app.all('/mcp', sessionForwarder());
 */
export function sessionForwarder(options: SessionForwarderOptions = {}): SessionForwarder {
  const settings = forwarderSettings(options);
  const upstreams = new Upstreams(settings.tls);

  return function forwardSession(
    req: IncomingMessage & { readonly originalUrl?: string },
    res,
    next,
  ) {
    const fail = (error: unknown): void => {
      if (isOver(res)) return;
      if (res.headersSent) res.destroy();
      else if (next) next(error);
      else answerFailure(res, error);
    };
    try {
      forward();
    } catch (error) {
      fail(error);
    }

    function forward(): void {
      const routed = routedRequestOf(req);
      const path = originForm(req.originalUrl ?? req.url ?? '/');
      if (path === undefined || hasDotSegments(path)) {
        if (!routed) throw new SessionRoutingError('invalid_path');
        routed.refuse('invalid_path');
        return;
      }
      const preparing = routed?.prepare();
      const go = (): void => {
        if (isOver(res)) return;
        const destination: Destination = routed?.destination(true) ?? { kind: 'default' };
        if (destination.kind === 'refuse' || destination.kind === 'deleted') {
          answerStop(routed, destination);
          return;
        }
        const url = destination.kind === 'backend' ? destination.url : settings.target;
        if (url === undefined) throw nowhere(routed !== undefined);
        routed?.onClose(upstreams);
        closeWithConnection(req, res);
        new Forwarding(req, res, { routed, path, settings, upstreams, fail }).send(url);
      };
      if (preparing) preparing.then(go).catch(fail);
      else go();
    }
  };
}

function nowhere(seen: boolean): SessionRoutingError {
  const remedy = seen
    ? 'there is no place for this request: give mcpSessionRouting "backends", or sessionForwarder a "target"'
    : 'mcpSessionRouting has not seen this request: mount it before, or give sessionForwarder a "target"';
  return new SessionRoutingError('invalid_option', `sessionForwarder: ${remedy}`);
}

/** Without Express there is nobody else who would. */
function answerFailure(res: ServerResponse, error: unknown): void {
  const status = error instanceof SessionRoutingError ? error.status : 502;
  process.emitWarning(error instanceof Error ? error.message : String(error));
  res.writeHead(status, { 'Content-Type': 'text/plain', Connection: 'close' });
  res.end('The request could not be forwarded\n');
}
