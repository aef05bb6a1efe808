import { expect, test } from '@jest/globals';
import type { Answer } from '../../../bench/backend-death/client.ts';
import { historyOf, type LogEntry } from '../../../bench/backend-death/history.ts';
import { bucketsOf, summaryOf } from '../../../bench/backend-death/result.ts';

const logged = (instance: string, did: LogEntry['did'], call?: string): LogEntry => ({
  instance,
  session: 's',
  did,
  call,
});

const answered = (client: string, kind: Answer['kind'], sent: number, at: number): Answer => ({
  client,
  kind,
  isCall: true,
  sent,
  at,
});

const times = { killed: 1000, restarting: 11_000, ended: 16_000 };

test('a request at another process than the one that opened its session is astray', () => {
  const log = [logged('a1', 'opened', 'f/1/1'), logged('a1', 'executed', 'f/1/2')];
  expect(historyOf('f', log)).toEqual({ astray: 0, executedTwice: 0 });
  expect(historyOf('f', [...log, logged('b1', 'refused', 'f/1/3')]).astray).toBe(1);
  expect(historyOf('another', [...log, logged('b1', 'refused', 'f/1/3')]).astray).toBe(0);
});

test('an attempt that two lines tell of was executed twice', () => {
  const executed = logged('a1', 'executed', 'f/1/2');
  const log = [logged('a1', 'opened', 'f/1/1'), executed, executed];
  expect(historyOf('f', log).executedTwice).toBe(1);
});

test('a client is back with the first call that it sent after the death and that worked', () => {
  const answers = [
    answered('dead', 'ok', 990, 1010),
    answered('dead', 'error', 1100, 1110),
    answered('dead', 'ok', 1400, 1450),
    answered('dead', 'ok', 1700, 1750),
  ];
  expect(summaryOf(answers, new Set(['dead']), times).slowestBack).toBe(450);
  expect(summaryOf(answers, new Set(['dead', 'gone']), times).slowestBack).toBeNull();
});

test('failures of other clients count from the death on', () => {
  const answers = [answered('other', 'error', 900, 950), answered('other', 'broken', 1000, 1300)];
  const summary = summaryOf(answers, new Set(['dead']), times);
  expect([summary.failuresOfOthers, summary.slowestOfOthers]).toEqual([1, 300]);
});

test('answers are counted in the bucket in which they came', () => {
  const answers = [answered('a', 'ok', 0, 950), answered('a', 'ok', 0, 1000)];
  const span = { from: -100, to: 200, bucket: 100 };
  expect(bucketsOf([...answers, answered('a', 'ok', 0, 1200)], 1000, span).ok).toBe('1 1 0');
});
