import { INITIALIZE, ofSession } from './mcp-client.ts';
import { parseRaw, rawRequest } from './raw-http.ts';

/** The bytes of a POST that opens a session. */
export function rawOpening(headers: readonly string[] = [], body = INITIALIZE): Buffer {
  return rawRequest('POST /mcp', ['Content-Type: application/json', ...headers], body);
}

/** The header lines of a request of a session, after `initialize`. */
export function sessionLines(id: string): string[] {
  return Object.entries(ofSession(id)).map(([name, value]) => `${name}: ${value}`);
}

/** The session id that an answer carries. */
export function sessionIdIn(text: string): string | undefined {
  return parseRaw(text).header('mcp-session-id');
}
