import type { IncomingHttpHeaders } from 'node:http';

// RFC 9110, 7.6.1, and the names that older agents use. `transfer-encoding` stays: it frames the body, and
// node:http writes its own.
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);

/** What `Connection` says nearly always: it names no other header. */
const PLAIN = /^(?:keep-alive|close)$/i;

/** Headers that `Connection` cannot nominate away: they frame the message, route it, or were set by a proxy in front. */
const KEPT = /^(?:host|content-length|transfer-encoding|mcp-.*|x-mcp-.*|forwarded|x-forwarded-.*)$/;

/** The headers without those that belong to one connection only, and those that `Connection` names. */
export function withoutHopByHop(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = nominated(headers.connection);
  const kept: IncomingHttpHeaders = {};
  // A new object: one that was deleted from is slow for all who use it later.
  for (const name of Object.keys(headers)) {
    if (!isOfOneHop(name, named)) kept[name] = headers[name];
  }
  return kept;
}

/** Whether a header (lower case) belongs to one connection only, or is one of those that `Connection` names. */
export function isOfOneHop(name: string, named: ReadonlySet<string> | undefined): boolean {
  return HOP_BY_HOP.has(name) || named?.has(name) === true;
}

/** The headers that `Connection` names, if any. */
export function nominated(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || PLAIN.test(connection)) return undefined;
  const names = connection.split(',').map((token) => token.trim().toLowerCase());
  return new Set(names.filter((name) => !KEPT.test(name)));
}
