import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { inspected } from './inspected.ts';

describe('an answer that is read before it is sent', () => {
  afterEach(() => void jest.useRealTimers());

  test('D7: costs no more for each byte if they come one by one', async () => {
    const { res, read } = await inspected(65_536);
    const started = performance.now();
    for (let sent = 0; sent < 65_536; sent += 1) res.write('x');
    res.end();
    expect(performance.now() - started).toBeLessThan(1000);
    expect(await read).toHaveLength(65_536);
  });

  test('F1: is sent on as it is when its body does not end', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const { res, read, sent } = await inspected(100);
    res.write('partial');
    jest.advanceTimersByTime(1500);
    expect(sent()).toBe('');
    jest.advanceTimersByTime(1000);
    expect(await read).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent()).toContain('partial');
  });

  test('F1: leaves no timer behind', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const { res, read } = await inspected(100);
    res.end('whole');
    expect(String(await read)).toBe('whole');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('F1: is sent on as it is when it is too long, and read once only', async () => {
    const { res, read, sent } = await inspected(4);
    res.write('1234');
    res.write('5');
    res.end('6');
    expect(await read).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent()).toMatch(/1234.*5.*6/s);
  });
});
