import type { IncomingMessage } from 'node:http';

/** Has to name the gateway that the page shows: a header of this kind is none that a form, or a link, can send. */
export const GATEWAY_HEADER = 'mcp-status-gateway';

/**
 * Whether the page itself sends the request, and no page of another origin in its user's name. Each of the three
 * keeps those out: a type that no form has, a header that needs leave to be sent, and what the browser says of the
 * page, which no script can change.
 */
export function isOfOwnPage({ headers }: IncomingMessage): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  const isJson = type.trim().toLowerCase() === 'application/json';
  return isJson && headers[GATEWAY_HEADER] !== undefined && isSameOrigin(headers);
}

/** Whether a page of another origin asks, which can read nothing, and would take the place of a watcher. */
export function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const { origin, 'sec-fetch-site': site } = headers;
  if (site === undefined && origin === undefined) return false;
  return site !== 'none' && !isSameOrigin(headers);
}

/** Browsers leave `Sec-Fetch-Site` out where the page came over plain http: `Origin` tells then. */
function isSameOrigin(headers: IncomingMessage['headers']): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (site !== undefined) return site === 'same-origin';
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
  return new URL(origin).host === host.toLowerCase();
}
