import type { IncomingMessage } from 'node:http';
import type { Caller } from '../routing/caller.ts';
import { isThenable } from '../store/deadline.ts';
import { warn } from '../store/user-code.ts';

/**
 * Asks the app who sends a request. What is no answer identifies nobody: to take it for an anonymous caller would
 * give all who meet the same mistake the same sessions.
 */
export function callerBy<Req extends IncomingMessage>(
  principalOf: (req: Req) => unknown,
): (req: Req) => Caller | undefined {
  return (req) => {
    try {
      const principal = principalOf(req) ?? undefined;
      if (principal === undefined || (typeof principal === 'string' && principal !== ''))
        return { principal };
      if (isThenable(principal)) Promise.resolve(principal).catch(() => {});
      warn(
        'mcpSessionRouting: "principal" must return a string that is not empty, or undefined, and not a promise',
      );
    } catch (error) {
      warn(error);
    }
    return undefined;
  };
}
