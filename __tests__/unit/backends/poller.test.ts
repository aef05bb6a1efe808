import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Poller } from '../../../src/backends/poller.ts';
import type { Awaitable } from '../../../src/store/session-store.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

interface Bench {
  readonly poller: Poller<number>;
  readonly answers: number[];
  readonly failures: unknown[];
  /** How often it was asked. */
  readonly asked: () => number;
}

function bench(answer: (question: number) => Awaitable<number>): Bench {
  let questions = 0;
  const answers: number[] = [];
  const failures: unknown[] = [];
  const poller = new Poller<number>({
    ask: () => answer((questions += 1)),
    interval: 100,
    onAnswer: (each) => void answers.push(each),
    onFailure: (error) => void failures.push(error),
  });
  return { poller, answers, failures, asked: () => questions };
}

const late = (question: number): Promise<number> =>
  new Promise((resolve) => setTimeout(() => resolve(question), 50));

describe('what is polled', () => {
  test('is asked at once, and again after each interval', async () => {
    const { answers } = bench((question) => question);
    expect(answers).toEqual([1]);
    await jest.advanceTimersByTimeAsync(250);
    expect(answers).toEqual([1, 2, 3]);
  });

  test('is asked anew only after it has answered', async () => {
    const { answers } = bench(late);
    await jest.advanceTimersByTimeAsync(149);
    expect(answers).toEqual([1]);
    await jest.advanceTimersByTimeAsync(51);
    expect(answers).toEqual([1, 2]);
  });

  test.each([
    ['throws', () => raise('thrown')],
    ['rejects', async () => raise('thrown')],
  ])('and %s is asked again', async (_what, answer) => {
    const { failures, asked, poller } = bench(answer);
    await jest.advanceTimersByTimeAsync(100);
    expect(failures).toEqual([new Error('thrown'), new Error('thrown')]);
    expect([asked(), await poller.fresh()]).toEqual([2, false]);
  });

  test('and never answers is asked again after 5 s', async () => {
    const { failures, asked } = bench(() => new Promise<number>(() => {}));
    await jest.advanceTimersByTimeAsync(5100);
    expect([failures, asked()]).toEqual([[new Error('no answer within 5000 ms')], 2]);
  });

  test('G2: and whose answer is not taken has failed', async () => {
    const failures: unknown[] = [];
    const onAnswer = (): never => raise('not taken');
    const onFailure = (error: unknown): void => void failures.push(error);
    const poller = new Poller({ ask: () => 1, interval: 100, onAnswer, onFailure });
    expect([await poller.fresh(), failures.length]).toEqual([false, 2]);
  });
});

describe('somebody who needs to know', () => {
  test('gets an answer to a question that was asked after he came', async () => {
    const { poller, answers } = bench(late);
    const [one, other] = [poller.fresh(), poller.fresh()];
    await jest.advanceTimersByTimeAsync(100);
    expect([await one, await other, answers]).toEqual([true, true, [1, 2]]);
  });

  test('or the answer to the question that is on its way, if any will do', async () => {
    const { poller, answers } = bench(late);
    const settled = poller.settled();
    await jest.advanceTimersByTimeAsync(50);
    expect([await settled, answers]).toEqual([true, [1]]);
  });

  test('does not disturb the interval', async () => {
    const { poller, asked } = bench((question) => question);
    await poller.fresh();
    await jest.advanceTimersByTimeAsync(100);
    expect(asked()).toBe(3);
  });
});

test('G4: after the end nothing is asked, and nothing that was asked is heard', async () => {
  const { poller, answers, asked } = bench(late);
  poller.close();
  await jest.advanceTimersByTimeAsync(1000);
  expect([answers, asked(), await poller.fresh()]).toEqual([[], 1, false]);
});

function raise(message: string): never {
  throw new Error(message);
}
