import { expect, test } from '@jest/globals';
import { runToEnd } from '../../helpers/run-to-end.ts';

test('a middleware that was closed is not kept in memory by the metrics that it has left', async () => {
  const fixture = 'observability/closed-middlewares.ts';
  const { code, output } = await runToEnd(fixture, [], ['--expose-gc']);
  expect(code).toBe(0);
  // Where the last one was is known to the engine for a while.
  expect(Number(output)).toBeLessThanOrEqual(1);
});
