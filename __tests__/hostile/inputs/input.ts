import type { Reason } from '../../../src/index.ts';
import type { ProxyKind } from '../../helpers/gateway.ts';

/**
 * What a hostile client sends. Text is latin1: each character is a byte. `{live}`, `{other}` and `{ended}` stand for
 * the ids of a session at A, of one at B and of one that has ended, `{LIVE}` for the first in capitals; `{A}`, `{B}`
 * and `{stranger}` for the `host:port` of the backends and of a server that is none; in the head `{length}` for the
 * bytes of the body.
 */
export interface Input {
  readonly name: string;
  /** Line of the contract. */
  readonly id?: string;
  /** @default 'POST /mcp HTTP/1.1' */
  readonly line?: string;
  /** Header lines; `Host` and `Content-Length` are added unless they are here. @default none */
  readonly head?: readonly string[];
  /** @default TOOLS_LIST, or nothing for another method than POST */
  readonly body?: string;
  /** All that is sent, in place of the three above. */
  readonly bytes?: string;
  /** Sent byte by byte. @default false */
  readonly trickled?: boolean;
  readonly expected: Expected;
  /** What another release of node:http says to it, before anybody else is asked. */
  readonly or?: Expected;
  /** Where a proxy differs. */
  readonly on?: Readonly<Partial<Record<ProxyKind, Partial<Expected>>>>;
}

export interface Expected {
  /** Of each answer; `[]`: the connection is closed without one. */
  readonly status: number | readonly number[];
  /** Of the last answer, if it is one of this package. */
  readonly reason?: Reason | undefined;
  /** The id of the request, as that answer repeats it. */
  readonly echoes?: string | undefined;
  /** It carries the id of a session that was opened. @default false */
  readonly opens?: boolean;
  /**
   * What becomes of the connection: the next request on it is answered, it is closed, or it waits for something that
   * the client does not send. @default 'goes on'
   */
  readonly then?: 'goes on' | 'closes' | 'waits';
  /** The requests that reach a backend, and no others. */
  readonly hits: readonly Hit[];
}

/** A request as it has to reach a backend. */
export interface Hit {
  readonly at: 'A' | 'B' | 'either';
  /** Method and target. @default 'POST /mcp' */
  readonly line?: string;
  /** Headers that it has once, with this value. */
  readonly sees?: Readonly<Record<string, string>>;
  /** Headers that it does not have. */
  readonly hidden?: readonly string[];
  /** @default the body of the input */
  readonly body?: string;
  /**
   * It breaks off, or its end is waited for: a part of it may arrive, and never the whole; `perhaps`: it may have
   * arrived before. @default false
   */
  readonly cut?: boolean | 'perhaps';
}

export interface Family {
  readonly title: string;
  /** Line of the contract, of those that name none. */
  readonly id?: string;
  readonly inputs: readonly Input[];
}

export const TOOLS_LIST = '{"jsonrpc":"2.0","id":7,"method":"tools/list"}';

export const LIVE = ['Mcp-Session-Id: {live}', 'MCP-Protocol-Version: 2025-11-25'];

/** A request that is hidden in another message. */
export const SMUGGLED =
  'DELETE /smuggled HTTP/1.1\r\nHost: gateway\r\nMcp-Session-Id: {live}\r\nContent-Length: 0\r\n\r\n';

/** The beginning of one, as the chunks of a body, and what is in them. */
export const SMUGGLED_CHUNKS = '12\r\nDELETE /smuggled\r\n\r\n0\r\n\r\n';
export const OUT_OF_CHUNKS = 'DELETE /smuggled\r\n';

/** On the live session. */
export const PINNED: Hit = { at: 'A', sees: { 'mcp-session-id': '{live}' } };
/** Without a session. */
export const FREE: Hit = { at: 'either', hidden: ['mcp-session-id'] };

const NOWHERE: readonly Hit[] = [];

/** What node:http says of what is no HTTP: 400, and the connection is closed. */
export const NO_HTTP: Expected = { status: 400, then: 'closes', hits: NOWHERE };
/** The same of a body that goes wrong: what came before may be on its way. */
export const CUT: Expected = { ...NO_HTTP, hits: [{ ...PINNED, body: '{}', cut: true }] };
export const INVALID_ID: Expected = {
  status: 400,
  reason: 'invalid_session_id',
  echoes: '7',
  hits: NOWHERE,
};
export const UNKNOWN: Expected = {
  status: 400,
  reason: 'unknown_session',
  echoes: '7',
  hits: NOWHERE,
};
export const ENDED: Expected = { status: 404, reason: 'session_ended', echoes: '7', hits: NOWHERE };
export const INVALID_PATH: Expected = { status: 400, reason: 'invalid_path', hits: NOWHERE };

/** It reaches the backend of its session. */
export function pinned(hit: Partial<Hit> = {}): Expected {
  const sees = { ...PINNED.sees, ...hit.sees };
  return { status: 200, hits: [{ ...PINNED, ...hit, sees }] };
}

/** It is balanced. */
export function balanced(hit: Partial<Hit> = {}): Expected {
  const hidden = [...(FREE.hidden ?? []), ...(hit.hidden ?? [])];
  return { status: 200, hits: [{ ...FREE, ...hit, hidden }] };
}
