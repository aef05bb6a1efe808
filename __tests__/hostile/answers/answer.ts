import type { Reason } from '../../../src/index.ts';
import type { ProxyKind } from '../../helpers/gateway.ts';

/**
 * What a hostile backend answers. Text is latin1: each character is a byte. `{mine}` stands for the id of the session
 * that is asked for, `{live}`, `{other}` and `{ended}` for those of others, `{stranger}` for the `host:port` of a server
 * that is no backend.
 */
export interface HostileAnswer {
  readonly name: string;
  /** Line of the contract. */
  readonly id?: string;
  /** What is asked. @default 'call' */
  readonly to?: Asked;
  readonly bytes: string;
  /** What becomes of the connection to the gateway. @default 'stays' */
  readonly then?: 'stays' | 'ends' | 'resets';
  /** Sent once the client has its answer. */
  readonly late?: string;
  readonly expected: ExpectedAnswer;
  /** Where a proxy differs. */
  readonly on?: Readonly<Partial<Record<ProxyKind, Partial<ExpectedAnswer>>>>;
}

/** `opening`: initialize; `free`: without a session; the others are of the session. */
export type Asked = 'opening' | 'free' | 'call' | 'listen' | 'head' | 'delete';

export interface ExpectedAnswer {
  /** Of each answer that the client gets; `broken`: the connection breaks off before the end of one. */
  readonly status: number | readonly number[] | 'broken';
  /** Of an answer of this package. */
  readonly reason?: Reason | undefined;
  /** Headers that the answer has once, with this value. */
  readonly sees?: Readonly<Record<string, string>>;
  /** Headers that it does not have. @default `mcp-session-id`, unless it is among the others */
  readonly hidden?: readonly string[];
  readonly body?: string | undefined;
  /** The session is over. @default false */
  readonly ends?: boolean;
}

export interface AnswerFamily {
  readonly title: string;
  /** Line of the contract, of those that name none. */
  readonly id?: string;
  readonly answers: readonly HostileAnswer[];
}

/** What another client must never get. */
export const POISON =
  'HTTP/1.1 200 OK\r\nMcp-Session-Id: poisoned\r\nContent-Length: 6\r\n\r\nPOISON';

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n';

export const PASSED: ExpectedAnswer = { status: 200, body: '{}' };
export const FAILED: ExpectedAnswer = { status: 502, reason: 'upstream_failed' };
export const INVALID: ExpectedAnswer = { status: 502, reason: 'invalid_backend_answer' };
export const BROKEN: ExpectedAnswer = { status: 'broken' };

export const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Answers after which the backend ends the connection. */
export function ending(
  expected: ExpectedAnswer,
  named: Readonly<Record<string, string>>,
): HostileAnswer[] {
  return rows(expected, named).map((row) => ({ ...row, then: 'ends' }));
}

/** Answers after which it waits for the next request. */
export function rows(
  expected: ExpectedAnswer,
  named: Readonly<Record<string, string>>,
): HostileAnswer[] {
  return Object.entries(named).map(([name, bytes]) => ({ name, bytes, expected }));
}
