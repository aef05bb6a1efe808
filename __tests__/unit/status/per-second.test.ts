import { describe, expect, test } from '@jest/globals';
import { PerSecond } from '../../../src/status/per-second.ts';

interface Counted {
  readonly counts: PerSecond;
  readonly at: (second: number) => void;
}

function counted(second = 1000): Counted {
  let now = second * 1000;
  return {
    counts: new PerSecond(() => now),
    at: (second) => {
      now = second * 1000;
    },
  };
}

/** The last ones, the newest last. */
const last = (counts: PerSecond, many: number, key?: string): number[] =>
  counts.of(key).slice(-many);

describe('what happens each second', () => {
  test('is counted by key, and shown once its second is over', () => {
    const { counts, at } = counted();
    for (const key of ['a', 'a', 'b']) counts.add(key);
    expect(counts.of()).toEqual(Array(60).fill(0));
    at(1001.5);
    counts.add('a');
    expect([last(counts, 2, 'a'), last(counts, 2, 'b'), last(counts, 2)]).toEqual([
      [0, 2],
      [0, 1],
      [0, 3],
    ]);
    at(1003);
    expect(last(counts, 4)).toEqual([0, 3, 1, 0]);
  });

  test('is forgotten after a minute, also where nothing has happened since', () => {
    const { counts, at } = counted();
    counts.add('a');
    at(1060);
    expect(counts.of('a')).toEqual([1, ...Array(59).fill(0)]);
    at(1061);
    expect(counts.of('a')).toEqual(Array(60).fill(0));
  });

  test.each([59, 60, 61, 62, 122, 5000])('is not taken for what happens %d s later', (gap) => {
    const { counts, at } = counted();
    counts.add('a');
    counts.add('a');
    at(1000 + gap);
    counts.add('a');
    at(1001 + gap);
    expect(counts.of('a').reduce((sum, each) => sum + each)).toBe(gap < 60 ? 3 : 1);
    expect(last(counts, 1, 'a')).toEqual([1]);
  });

  test('is summed over the last minute, with the present second', () => {
    const { counts, at } = counted();
    counts.add('a');
    at(1059);
    counts.add('a');
    counts.add('a');
    expect([counts.sum('a'), counts.sum('never')]).toEqual([3, 0]);
    at(1060);
    expect(counts.sum('a')).toBe(2);
    at(1118);
    expect(counts.sum('a')).toBe(2);
    at(1119);
    expect(counts.sum('a')).toBe(0);
  });

  test('is counted in the first seconds of a clock too', () => {
    const { counts, at } = counted(0);
    counts.add('a');
    at(1);
    expect(last(counts, 2)).toEqual([0, 1]);
    expect(counts.sum('a')).toBe(1);
  });

  test('is counted for a thousand keys; those that are quiet make room for new ones', () => {
    const { counts, at } = counted();
    for (let key = 0; key < 1001; key += 1) counts.add(`${key}`);
    expect([counts.sum('999'), counts.sum('1000')]).toEqual([1, 0]);
    at(1061);
    counts.add('1000');
    expect([counts.sum('999'), counts.sum('1000')]).toEqual([0, 1]);
  });
});
