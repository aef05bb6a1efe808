import type { IncomingHttpHeaders } from 'node:http';
import { SESSION_HEADER } from '../protocol/session-id.ts';
import { askBackend, type Manner } from './ask-backend.ts';

/** How a request was sent. */
export interface RequestLine extends Manner {
  /** Path and query. */
  readonly path: string;
}

/** Headers that a backend may need to accept a DELETE in the client's name. */
const CARRIED = ['authorization', 'cookie', 'host', 'mcp-protocol-version'] as const;

/**
 * Deletes a backend session whose id the client will never see. Best effort: it frees the backend's memory early,
 * nothing depends on it, and the backend's own expiry is there for the rest.
 */
export function forgetAtBackend(
  backendUrl: string,
  line: RequestLine,
  sessionId: string,
  headers: IncomingHttpHeaders,
): void {
  const carried = CARRIED.flatMap((name) => (headers[name] ? [[name, headers[name]]] : []));
  askBackend(backendUrl, {
    ...line,
    method: 'DELETE',
    headers: { ...Object.fromEntries(carried), [SESSION_HEADER]: sessionId },
    signal: AbortSignal.timeout(2000),
  }).then(
    (answer) => answer.on('error', () => {}).resume(),
    () => {},
  );
}
