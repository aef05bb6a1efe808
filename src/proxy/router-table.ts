import type { IncomingMessage } from 'node:http';

/**
 * The entry of a `router` table of http-proxy-middleware for a request: keys are a host, a path, or both, the
 * first that fits wins.
 */
export function lookUpRouterTable(table: object, req: IncomingMessage): unknown {
  const host = req.headers.host ?? '';
  const path = req.url ?? '';
  const fits = (key: string): boolean => {
    const slash = key.indexOf('/');
    if (slash === -1) return key === host;
    return (slash === 0 || key.slice(0, slash) === host) && path.startsWith(key.slice(slash));
  };
  return Object.entries(table).find(([key]) => fits(key))?.[1];
}
