import type { IncomingHttpHeaders } from 'node:http';

// RFC 9110, 7.6.1, and the names that older agents use. `transfer-encoding` stays: it frames the body, and
// node:http writes its own.
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
] as const;

/** Headers that `Connection` cannot nominate away: they frame the message, route it, or were set by a proxy in front. */
const KEPT = /^(?:host|content-length|transfer-encoding|mcp-.*|forwarded|x-forwarded-.*)$/;

/** Takes the headers off that belong to one connection only, and those that `Connection` names. */
export function removeHopByHop(headers: IncomingHttpHeaders): void {
  for (const token of (headers.connection ?? '').split(',')) {
    const name = token.trim().toLowerCase();
    if (name !== '' && !KEPT.test(name)) delete headers[name];
  }
  for (const name of HOP_BY_HOP) delete headers[name];
}
