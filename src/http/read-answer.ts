import type { ServerResponse } from 'node:http';
import { SESSION_HEADER } from '../protocol/session-id.ts';
import type { AnswerHead } from '../routing/answer.ts';
import { canDecode, decodeBody } from './decode-body.ts';

const EVENT_STREAM = /^text\/event-stream/i;

/** A body that may tell of a lost session is read if it is no longer. */
export const MAX_INSPECTED: number = 64 * 1024;

/** The headers of an answer, by their names in lower case; a list where one is there several times. */
export interface Headers {
  get(name: string): string | undefined;
}

/** What the head of an answer says that is about to be sent. Most answers are not looked into: nobody asks for more. */
export class ReadHead implements AnswerHead {
  readonly status: number;
  readonly sessionId: string | undefined;
  readonly eventStream: boolean;
  readonly #head: Headers;

  constructor(status: number, head: Headers) {
    this.status = status;
    this.sessionId = head.get(SESSION_HEADER);
    this.eventStream = EVENT_STREAM.test(head.get('content-type') ?? '');
    this.#head = head;
  }

  get encoded(): boolean {
    return !canDecode(this.#coding);
  }

  get packed(): boolean {
    return this.#coding !== 'identity';
  }

  get #coding(): string {
    return (this.#head.get('content-encoding') ?? 'identity').toLowerCase();
  }
}

/** What the body says; `undefined` if it is broken, or longer than `MAX_INSPECTED`. */
export function textOf(res: ServerResponse, body: Buffer): string | undefined {
  return decodeBody(body, codingOf(res), MAX_INSPECTED);
}

function codingOf(res: ServerResponse): string {
  return String(res.getHeader('content-encoding') ?? 'identity').toLowerCase();
}
