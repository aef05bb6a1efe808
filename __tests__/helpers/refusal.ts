import { expect } from '@jest/globals';

/** An answer, of supertest or of a raw connection. */
export interface AnswerLike {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface Row {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly retryAfter?: string;
  readonly allow?: string;
}

// Written down here once more: a change of what clients read has to be made twice.
export const ROWS = {
  forbidden_origin: { status: 403, code: -32000, message: 'Forbidden: Origin is not allowed' },
  principal_failed: {
    status: 500,
    code: -32603,
    message: 'The gateway could not tell who sends this request',
  },
  invalid_session_id: { status: 400, code: -32000, message: 'Bad Request: invalid Mcp-Session-Id' },
  invalid_path: { status: 400, code: -32000, message: 'Bad Request: dot segments in the path' },
  method_not_allowed: { status: 405, code: -32000, message: 'Method not allowed', allow: 'POST' },
  unknown_session: { status: 400, code: -32001, message: 'Session not found' },
  session_ended: { status: 404, code: -32001, message: 'Session not found' },
  session_lost: { status: 404, code: -32001, message: 'Session not found' },
  task_lost: { status: 404, code: -32602, message: 'Task not found' },
  store_unavailable: {
    status: 503,
    code: -32603,
    message: 'Session store unavailable, try again',
    retryAfter: '1',
  },
  no_backend: { status: 503, code: -32603, message: 'No backend available', retryAfter: '1' },
  shutting_down: {
    status: 503,
    code: -32603,
    message: 'This gateway is shutting down, try again',
    retryAfter: '1',
  },
  backend_unreachable: {
    status: 503,
    code: -32603,
    message: 'The backend of this session cannot be reached now',
    retryAfter: '1',
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
} as const satisfies Record<string, Row>;

export interface ExpectedRefusal {
  /** The bytes of the request's id; left out: the member is not there. */
  readonly id?: string | undefined;
  /** If it is not the usual one of the reason. */
  readonly status?: number;
}

/** The answer is this refusal, byte for byte, with the headers of one and nothing that clients should not see. */
export function expectRefusal(
  answer: AnswerLike,
  reason: keyof typeof ROWS,
  expected: ExpectedRefusal = {},
): void {
  const row: Row = ROWS[reason];
  const id = expected.id === undefined ? '' : `,"id":${expected.id}`;
  const error = `{"code":${row.code},"message":"${row.message}","data":{"reason":"${reason}"}}`;
  expect(answer.text).toBe(`{"jsonrpc":"2.0","error":${error}${id}}`);
  expect(answer.status).toBe(expected.status ?? row.status);
  const { headers } = answer;
  expect(headers['content-type']).toBe('application/json');
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['retry-after']).toBe(row.retryAfter);
  expect(headers).not.toHaveProperty('mcp-session-id');
  expect(Object.values(headers).join('\n')).not.toContain('127.0.0.1');
}
