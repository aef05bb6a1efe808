import { invalid } from './checks.ts';
import type { McpSessionRoutingOptions } from './options.ts';

/** What HMAC-SHA256 takes in full: 32 bytes (RFC 2104, 3), of characters that are one byte at least. */
const SHORTEST_SECRET = 32;

/** Checks whom the gateway trusts. @throws {SessionRoutingError} `invalid_option` */
export function trust({
  allowedOrigins,
  secret,
}: Pick<McpSessionRoutingOptions, 'allowedOrigins' | 'secret'>): void {
  if (allowedOrigins !== undefined && typeof allowedOrigins !== 'function') origins(allowedOrigins);
  if (secret !== undefined) secrets([secret].flat());
}

function origins(given: unknown): void {
  if (!Array.isArray(given))
    throw invalid('allowedOrigins', given, 'must be a list of origins, or a function');
  const stray: unknown = given.find((origin) => !isOrigin(origin));
  if (stray !== undefined || given.includes(undefined))
    throw invalid('allowedOrigins', stray, 'must be an origin, such as "https://app.example.com"');
}

/** As browsers send it, but for letters that may be large. */
function isOrigin(given: unknown): boolean {
  if (typeof given !== 'string' || !URL.canParse(given)) return false;
  const { origin } = new URL(given);
  return origin !== 'null' && origin === given.toLowerCase();
}

function secrets(given: readonly unknown[]): void {
  const usable = given.every(
    (secret) => typeof secret === 'string' && secret.length >= SHORTEST_SECRET,
  );
  // Not shown: a log is no place for it.
  if (!usable || given.length === 0)
    throw invalid(
      'secret',
      undefined,
      `must be a string of at least ${SHORTEST_SECRET} characters, or a list of them; "openssl rand -base64 32" prints one`,
    );
}
