import { existsSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { LONG, longestFirst } from '../../scripts/longest-first.mjs';

test.each(LONG)('%s, which is to run first, is there', (name) => {
  expect(existsSync(new URL(`../${name}`, import.meta.url))).toBe(true);
});

test('what runs long comes first, all else stays in its order', () => {
  const names = ['unit/b.test.ts', LONG[1], 'unit/a.test.ts', LONG[0]];
  const tests = names.map((name) => ({ path: `/at/__tests__/${name}` }));
  const order = longestFirst(tests).map(({ path }) => path.replace('/at/__tests__/', ''));
  expect(order).toEqual([LONG[0], LONG[1], 'unit/b.test.ts', 'unit/a.test.ts']);
});
