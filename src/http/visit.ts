import type { IncomingMessage, ServerResponse } from 'node:http';
import { originOf } from '../backends/origin.ts';
import type { Traffic, Visit } from '../backends/traffic.ts';

/** A request is on its way to `url` from now on, until its response is closed. */
export function visit(
  traffic: Traffic,
  url: string | undefined,
  req: IncomingMessage,
  res: ServerResponse,
): Visit {
  const stream = req.method === 'GET' && req.headers.accept?.includes('text/event-stream') === true;
  const begun = traffic.enter(originOf(url) ?? '', stream ? () => res.destroy() : undefined);
  if (res.destroyed) begun.leave();
  // Not once(), which costs more than to leave: it is emitted once.
  else res.on('close', () => begun.leave());
  return begun;
}
