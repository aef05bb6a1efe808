import { createHash } from 'node:crypto';

/** One line of the log that each demo server writes: a request as it arrived there. */
export interface LogEntry {
  instance: string;
  session?: string;
  /** JSON-RPC method, or the HTTP method of a request without a body. */
  method: string;
}

export interface SessionCalls {
  session: string;
  /** The server that answered `initialize`. */
  owner: string;
  /** `tools/call` requests of the session that arrived at its owner, and at any other server. */
  own: number;
  astray: number;
}

export function callsPerSession(log: LogEntry[], sessions: string[]): SessionCalls[] {
  return sessions.map((session) => {
    const entries = log.filter((entry) => entry.session === session);
    const owner = entries.find((entry) => entry.method === 'initialize')?.instance ?? 'none';
    const calls = entries.filter((entry) => entry.method === 'tools/call');
    const own = calls.filter((entry) => entry.instance === owner).length;
    return { session, owner, own, astray: calls.length - own };
  });
}

/** How a session is named where people read it: its id is a secret. */
export function fingerprint(session: string): string {
  return createHash('sha256').update(session).digest('hex').slice(0, 12);
}
