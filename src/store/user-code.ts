import { isThenable } from './deadline.ts';

/**
 * Calls a listener. One that throws, or whose promise rejects, has a mistake in it: that must not change what
 * becomes of a session, nor end the process.
 */
export function tell(listener: () => unknown): void {
  try {
    const returned = listener();
    if (isThenable(returned)) Promise.resolve(returned).catch(warn);
  } catch (error) {
    warn(error);
  }
}

/**
 * The answer of a function that says yes or no: only `true` is yes. A promise is neither, since nobody waits for
 * it; that is told once, and its rejection is dropped.
 */
export function yesOrNo<Args extends unknown[]>(
  name: string,
  ask: (...args: Args) => unknown,
): (...args: Args) => boolean {
  let told = false;
  return (...args) => {
    const answer = ask(...args);
    if (!isThenable(answer)) return answer === true;
    Promise.resolve(answer).catch(() => {});
    if (!told)
      warn(`mcpSessionRouting: "${name}" must say true or false at once, not by a promise`);
    told = true;
    return false;
  };
}

/** For a question whose failure must not become that of a request: it is told, and is no. */
export function noIfItThrows<Args extends unknown[]>(
  ask: (...args: Args) => boolean,
): (...args: Args) => boolean {
  return (...args) => {
    try {
      return ask(...args);
    } catch (error) {
      warn(error);
      return false;
    }
  };
}

/** A process warning; never throws. */
export function warn(problem: unknown): void {
  process.emitWarning(problem instanceof Error ? problem : messageOf(problem));
}

/** Anything may be thrown, also what has no text. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'something that cannot be shown';
  }
}
