import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition holds; without `within` (ms) the test's own time limit is the only deadline. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  within = Infinity,
): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`it did not come true in ${within} ms`);
    await sleep(5);
  }
}
