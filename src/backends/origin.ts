import { SessionRoutingError } from '../protocol/errors.ts';

/**
 * The origin of a backend's URL (`http://host:port`), or `undefined` if it is no absolute http(s) URL.
 * Credentials, path and query are no part of it.
 */
export function originOf(url: unknown): string | undefined {
  const parsed = url instanceof URL ? url : typeof url === 'string' ? parseUrl(url) : undefined;
  if (!parsed || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) return undefined;
  return parsed.origin;
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
  return new SessionRoutingError('invalid_option', `backends: ${JSON.stringify(given)} ${remedy}`);
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
