import type { ServerResponse } from 'node:http';
import type { DecisionKind } from '../routing/kind.ts';
import { headersOf, HeadView } from './head-arguments.ts';

const ROUTE_HEADER = 'X-MCP-Route';

type WriteHead = (...args: unknown[]) => unknown;

/**
 * Puts how the request was decided on its answer, in place of whatever a backend has said there. To be called before
 * anybody else stands between the answer and its client: every head that is sent comes by here, also one of ours.
 */
export function showRoute(res: ServerResponse, kindNow: () => DecisionKind | undefined): void {
  const before: unknown = Reflect.get(res, 'writeHead');
  const writeHead: WriteHead = (...args) => {
    const kind = kindNow();
    // Of what was not routed nothing is said: it may be an answer of the app (A14).
    if (kind !== undefined)
      new HeadView(res, 'writeHead', args, headersOf(args)).set(ROUTE_HEADER, kind);
    return Reflect.apply(before as WriteHead, res, args);
  };
  // node:http calls it too, where whoever answers does not.
  Object.assign(res, { writeHead });
}
