import { REFUSALS, type Reason } from './reasons.ts';

/** Stable code of a {@link SessionRoutingError}: a refusal, or a mistake in the set-up. */
export type SessionRoutingErrorCode = Reason | 'invalid_option' | 'invalid_store';

/**
 * What this package throws: at creation for a mistake in the set-up, with the remedy in the message, and
 * out of `sessionRouter` when it is used without the plugin and a request cannot be routed.
 */
export class SessionRoutingError extends Error {
  override readonly name = 'SessionRoutingError';
  /** Stable, see docs/errors.md. */
  readonly code: SessionRoutingErrorCode;
  /** HTTP status; express answers with it when the error reaches `next(err)`. */
  readonly status: number;

  constructor(code: SessionRoutingErrorCode, message?: string, options?: ErrorOptions) {
    super(message ?? (isReason(code) ? REFUSALS[code].message : code), options);
    this.code = code;
    this.status = isReason(code) ? REFUSALS[code].status : 500;
  }
}

function isReason(code: SessionRoutingErrorCode): code is Reason {
  return Object.hasOwn(REFUSALS, code);
}
