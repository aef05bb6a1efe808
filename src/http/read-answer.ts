import type { ServerResponse } from 'node:http';
import { SESSION_HEADER } from '../protocol/session-id.ts';
import type { AnswerHead } from '../routing/answer.ts';
import { canDecode, decodeBody } from './decode-body.ts';
import type { HeadView } from './head-arguments.ts';

/** A body that may tell of a lost session is read if it is no longer. */
export const MAX_INSPECTED: number = 64 * 1024;

/** What the head of an answer says that is about to be sent. */
export function headOf(head: HeadView): AnswerHead {
  const coding = (head.get('content-encoding') ?? 'identity').toLowerCase();
  return {
    status: head.status,
    sessionId: head.get(SESSION_HEADER),
    eventStream: /^text\/event-stream/i.test(head.get('content-type') ?? ''),
    encoded: !canDecode(coding),
    packed: coding !== 'identity',
  };
}

/** What the body says; `undefined` if it is broken, or longer than `MAX_INSPECTED`. */
export function textOf(res: ServerResponse, body: Buffer): string | undefined {
  return decodeBody(body, codingOf(res), MAX_INSPECTED);
}

function codingOf(res: ServerResponse): string {
  return String(res.getHeader('content-encoding') ?? 'identity').toLowerCase();
}
