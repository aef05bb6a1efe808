import type { IncomingMessage, ServerResponse } from 'node:http';
import { REFUSALS, type Reason } from '../protocol/reasons.ts';

/** What the `handler` option is told of a refusal. */
export interface RefusalInfo {
  /** Stable name, see docs/errors.md. */
  readonly reason: Reason;
  /** The status the package would answer with. */
  readonly status: number;
  /** JSON-RPC error code. */
  readonly code: number;
  readonly message: string;
}

type Next = (error?: unknown) => void;

/** Answers refusals in place of the package; may be async. */
export type RefusalHandler<Req, Res> = (
  req: Req,
  res: Res,
  next: Next,
  refusal: RefusalInfo,
) => unknown;

/** Lets the handler answer. If it fails, the app's error handler does, or a begun answer is broken off. */
export async function askHandler<Req extends IncomingMessage, Res extends ServerResponse>(
  handler: RefusalHandler<Req, Res>,
  { req, res, next }: { readonly req: Req; readonly res: Res; readonly next: Next },
  reason: Reason,
  status: number,
): Promise<void> {
  const { code, message } = REFUSALS[reason];
  try {
    await handler(req, res, next, { reason, status, code, message });
  } catch (error) {
    if (res.headersSent) res.destroy();
    // Without an error `next` would send the refused request on.
    else next(error || new Error('the option "handler" has failed'));
  }
}
