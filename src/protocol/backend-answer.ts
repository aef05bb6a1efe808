/** What a body tells of a backend's 404. */
export type NotFoundKind = 'session' | 'other';

/**
 * Whether a backend's 404 says that the session is over: JSON-RPC -32001, or no JSON-RPC body at all
 * (Streamable HTTP, Session Management, 3). -32601 is an unknown method and ends nothing.
 */
export function readNotFound(body: string): NotFoundKind {
  const message = parse(body);
  if (!isObject(message) || !('jsonrpc' in message)) return 'session';
  return isObject(message['error']) && message['error']['code'] === -32001 ? 'session' : 'other';
}

/** The answers with which the SDK's examples and server-everything say that they have lost a session. */
export function isKnownLostSession(status: number, body: string): boolean {
  if (status !== 400) return false;
  return body.includes('No valid session ID provided') || body.includes('Server not initialized');
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
