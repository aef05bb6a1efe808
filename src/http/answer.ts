import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorBody } from '../protocol/error-body.ts';
import { REFUSALS, type Reason, type Refusal } from '../protocol/reasons.ts';
import { isOver } from './routed-request.ts';

/** An answer of this package. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the client reads of a refusal; the id is left out where it is not known. */
export function refusalAnswer(reason: Reason, status: number, rawId?: string): Answer {
  const { retryAfter, allow }: Refusal = REFUSALS[reason];
  const body = errorBody(reason, rawId);
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
      ...(allow === undefined ? {} : { Allow: allow }),
    },
    body,
  };
}

/** The status of a refusal; only that of unknown sessions is for the user to choose. */
export function statusOf(reason: Reason, unknownSessionStatus: number): number {
  return reason === 'unknown_session' ? unknownSessionStatus : REFUSALS[reason].status;
}

/** The answer to a DELETE of a session whose backend is gone: there is nothing left to delete. */
export const DELETED: Answer = Object.freeze({ status: 204, headers: {}, body: '' });

/** Nothing of ours can follow an answer that is on its way, held or not: it is broken off (D5). */
export function isTooLate(res: ServerResponse): boolean {
  if (isOver(res)) return true;
  const { headersSent } = res;
  if (headersSent) res.destroy();
  return headersSent;
}

/** Lets the connection be used again, unless the rest of the request's body would have to be waited for. */
export function settleRequest(req: IncomingMessage, res: ServerResponse): void {
  if (!hasArrived(req)) res.setHeader('Connection', 'close');
  req.unpipe();
  req.resume();
}

/** The same where the app answers: it may want the body before. */
export function settleOnceAnswered(req: IncomingMessage, res: ServerResponse): void {
  if (!hasArrived(req)) res.setHeader('Connection', 'close');
  res.once('finish', () => {
    req.unpipe();
    req.resume();
  });
}

/** `complete` is set late: not before whoever is told of the head, or of the last byte, has returned. */
function hasArrived(req: IncomingMessage): boolean {
  if (req.complete) return true;
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
  return coding === undefined && req.readableLength === Number(length ?? 0);
}
