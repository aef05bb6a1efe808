/** What the client, or a log, reads of a refusal. The members never hold ids, tokens or addresses. */
export interface Refusal {
  readonly status: number;
  /** JSON-RPC error code. -32020 to -32099 belong to the specification and are not used. */
  readonly code: number;
  readonly message: string;
  /** Seconds for `Retry-After`; absent where another try cannot help or might execute twice. */
  readonly retryAfter?: number;
  /** For `Allow`. */
  readonly allow?: string;
}

/** Stable name of a refusal, in `error.data.reason` and in docs/errors.md. */
export type Reason =
  | 'forbidden_origin'
  | 'principal_failed'
  | 'invalid_session_id'
  | 'invalid_path'
  | 'method_not_allowed'
  | 'unknown_session'
  | 'session_ended'
  | 'session_lost'
  | 'task_lost'
  | 'store_unavailable'
  | 'no_backend'
  | 'shutting_down'
  | 'backend_unreachable'
  | 'upstream_failed'
  | 'upstream_timeout'
  | 'invalid_backend_answer';

/**
 * One row for each refusal of this package.
 *
 * 404 is the only status on which a client starts again (Streamable HTTP, Session Management, 4),
 * a 5xx the only one on which it tries later.
 */
export const REFUSALS: Readonly<Record<Reason, Refusal>> = {
  forbidden_origin: { status: 403, code: -32000, message: 'Forbidden: Origin is not allowed' },
  principal_failed: {
    status: 500,
    code: -32603,
    message: 'The gateway could not tell who sends this request',
  },
  invalid_session_id: { status: 400, code: -32000, message: 'Bad Request: invalid Mcp-Session-Id' },
  invalid_path: { status: 400, code: -32000, message: 'Bad Request: dot segments in the path' },
  method_not_allowed: {
    status: 405,
    code: -32000,
    message: 'Method not allowed',
    allow: 'POST',
  },
  unknown_session: { status: 400, code: -32001, message: 'Session not found' },
  session_ended: { status: 404, code: -32001, message: 'Session not found' },
  session_lost: { status: 404, code: -32001, message: 'Session not found' },
  task_lost: { status: 404, code: -32602, message: 'Task not found' },
  store_unavailable: {
    status: 503,
    code: -32603,
    message: 'Session store unavailable, try again',
    retryAfter: 1,
  },
  no_backend: { status: 503, code: -32603, message: 'No backend available', retryAfter: 1 },
  shutting_down: {
    status: 503,
    code: -32603,
    message: 'This gateway is shutting down, try again',
    retryAfter: 1,
  },
  backend_unreachable: {
    status: 503,
    code: -32603,
    message: 'The backend of this session cannot be reached now',
    retryAfter: 1,
  },
  upstream_failed: {
    status: 502,
    code: -32603,
    message: 'The backend broke off; the request may have been executed',
  },
  upstream_timeout: {
    status: 504,
    code: -32603,
    message: 'The backend did not answer in time; the request may have been executed',
  },
  invalid_backend_answer: {
    status: 502,
    code: -32603,
    message: 'The backend answered with a session id that cannot be used',
  },
};
