import type { Reason } from './reasons.ts';
import { REFUSALS } from './reasons.ts';

/**
 * A JSON-RPC error answer. Written by hand: some clients look for the literal `"code":-32001`, and the id must
 * come back as the bytes it was sent in. Without an id the member is left out, since `null` makes strict
 * clients throw (JSON-RPC 2.0, section 5; MCP base protocol, Responses).
 */
export function errorBody(reason: Reason, rawId?: string): string {
  const { code, message } = REFUSALS[reason];
  const id = rawId === undefined ? '' : `,"id":${rawId}`;
  const error = `{"code":${code},"message":${JSON.stringify(message)},"data":{"reason":"${reason}"}}`;
  return `{"jsonrpc":"2.0","error":${error}${id}}`;
}
