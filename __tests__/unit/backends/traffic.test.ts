import { describe, expect, jest, test } from '@jest/globals';
import { Traffic } from '../../../src/backends/traffic.ts';

const A = 'http://a';
const B = 'http://b';

describe('what is open to a backend', () => {
  test('is counted from the beginning of a request to its end', () => {
    const traffic = new Traffic();
    const first = traffic.enter(A, undefined);
    traffic.enter(A, () => {});
    traffic.enter(B, undefined);
    expect([traffic.load(A), traffic.count(A)]).toEqual([{ requests: 1, streams: 1 }, 2]);
    first.leave();
    first.leave();
    expect(traffic.load(A)).toEqual({ requests: 0, streams: 1 });
    expect(traffic.load()).toEqual({ requests: 1, streams: 1 });
  });

  test('moves with a request that goes to another backend after all, unless it is over', () => {
    const traffic = new Traffic();
    const visit = traffic.enter(A, undefined);
    visit.moveTo(B);
    expect([traffic.count(A), traffic.count(B)]).toEqual([0, 1]);
    visit.leave();
    visit.moveTo(A);
    expect([traffic.count(A), traffic.count(B)]).toEqual([0, 0]);
  });

  test('streams are broken off, those to one backend or all of them', () => {
    const traffic = new Traffic();
    const ended: string[] = [];
    for (const origin of [A, B]) traffic.enter(origin, () => void ended.push(origin));
    traffic.enter(A, undefined);
    traffic.endStreams(B);
    traffic.endStreams('http://c');
    expect(ended).toEqual([B]);
    traffic.endStreams();
    expect(ended.toSorted()).toEqual([A, B, B]);
  });
});

describe('a wait for the end of what is open', () => {
  test('is over at once where there is nothing', async () => {
    expect(await new Traffic().idle(undefined, 1)).toBe(true);
  });

  test('is over with the last request and the last stream to that backend', async () => {
    const traffic = new Traffic();
    const visits = [traffic.enter(A, undefined), traffic.enter(A, () => {})];
    const other = traffic.enter(B, undefined);
    const [one, all] = [traffic.idle(A, 60_000), traffic.idle(undefined, 60_000)];
    for (const visit of visits) visit.leave();
    expect(await one).toBe(true);
    other.leave();
    expect(await all).toBe(true);
  });

  test('G4: may be as long as it takes: its time is not cut to none', async () => {
    const traffic = new Traffic();
    const visit = traffic.enter(A, undefined);
    const idle = traffic.idle(A, Infinity);
    await new Promise((resolve) => setTimeout(resolve, 20));
    visit.leave();
    expect(await idle).toBe(true);
  });

  test('ends when its time is over', async () => {
    jest.useFakeTimers();
    const traffic = new Traffic();
    traffic.enter(A, undefined);
    const idle = traffic.idle(A, 100);
    jest.advanceTimersByTime(100);
    jest.useRealTimers();
    expect(await idle).toBe(false);
  });
});
