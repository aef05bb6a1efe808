import { expect, test } from '@jest/globals';
import { counting } from '../../src/counters.ts';
import { Observers } from '../../src/observers.ts';

const KEY = '0123456789abcdef'.repeat(4);

function counted(): ReturnType<typeof counting> & { observers: Observers } {
  const all = counting();
  const observers = new Observers();
  observers.add(all.observer);
  return { ...all, observers };
}

test('what happens is counted', () => {
  const { observers, decisions, counters } = counted();
  observers.opened(KEY, 'http://a');
  observers.recovered(KEY, 'http://b');
  observers.unreadAnswer();
  observers.refused('unknown_session', KEY);
  observers.refused('unknown_session', KEY);
  observers.refused('no_backend', undefined);
  observers.storeFailed(new Error('down'), 'read');
  observers.storeFailed(new Error('spoilt'), 'decode');
  observers.ended(KEY, 'lost');
  observers.ended(KEY, 'forgotten');
  observers.ended(KEY, 'elsewhere');
  observers.stored('read', 2, undefined);
  observers.stored('read', 1000, 'timeout');
  decisions.pinned += 1;
  expect(counters()).toEqual({
    decisions: { pinned: 1, recovered: 0, new: 0, modern: 0, other: 0 },
    opened: 1,
    lost: 3,
    recovered: 1,
    ended: 3,
    endedBy: {
      ...{ deleted: 0, closed: 0, called: 0, lost: 1, forgotten: 1, expired: 0, elsewhere: 1 },
    },
    refused: { unknown_session: 2, no_backend: 1 },
    store: expect.objectContaining({
      read: expect.objectContaining({ count: 2, failures: 1, seconds: 1.002 }),
      create: expect.objectContaining({ count: 0, failures: 0, seconds: 0 }),
    }),
    storeFailures: 1,
    unusableRecords: 1,
    unreadAnswers: 1,
  });
});

test('what was counted does not change in the hands of who has asked for it', () => {
  const { observers, decisions, counters } = counted();
  const before = counters();
  observers.refused('no_backend', undefined);
  decisions.new += 1;
  expect(before).toMatchObject({ refused: {}, decisions: { new: 0 } });
});
