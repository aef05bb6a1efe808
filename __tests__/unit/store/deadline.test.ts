import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { isThenable, withDeadline } from '../../../src/store/deadline.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test.each([() => Promise.resolve(1), () => Promise.reject(new Error('broken'))])(
  'G4: a deadline that is met leaves no timer behind (%p)',
  async (start) => {
    await withDeadline(start, 1000).catch(() => {});
    expect(jest.getTimerCount()).toBe(0);
  },
);

test.each<[unknown, boolean]>([
  [{ then: () => undefined }, true],
  [Promise.resolve(), true],
  [{ then: 5 }, false],
  [{}, false],
  [null, false],
  ['then', false],
])('%p is a promise: %p', (value, is) => {
  expect(isThenable(value)).toBe(is);
});
