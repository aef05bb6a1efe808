import { LRUCache } from 'lru-cache';
import { shown } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';

// Parsing costs as much as all else that is done for a request of a session, and the same few are asked for.
const parsedBefore = new LRUCache<string, { readonly origin: string | undefined }>({ max: 1000 });

/**
 * The origin of a backend's URL (`http://host:port`), or `undefined` if it is no absolute http(s) URL.
 * Credentials, path and query are no part of it.
 */
export function originOf(url: unknown): string | undefined {
  if (url instanceof URL) return httpOrigin(url);
  if (typeof url !== 'string') return undefined;
  const before = parsedBefore.get(url);
  if (before) return before.origin;
  const origin = URL.canParse(url) ? httpOrigin(new URL(url)) : undefined;
  parsedBefore.set(url, { origin });
  return origin;
}

function httpOrigin(url: URL): string | undefined {
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.origin : undefined;
}

/** Checks a configured backend. @throws {SessionRoutingError} `invalid_option`, with the remedy */
export function checkBackend(given: unknown): string {
  const text = given instanceof URL ? given.href : given;
  const origin = originOf(given);
  if (typeof text !== 'string' || origin === undefined) {
    throw invalid(given, 'must be an absolute http or https URL such as "http://mcp-0:8080"');
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw invalid(url.origin, 'must not hold credentials; add them as headers in the proxy');
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw invalid(given, `must be an origin, since requests keep their own path; use "${origin}"`);
  }
  return origin;
}

function invalid(given: unknown, remedy: string): SessionRoutingError {
  return new SessionRoutingError('invalid_option', `backends: ${shown(given)} ${remedy}`);
}
