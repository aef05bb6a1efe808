import { describe, expect, test } from '@jest/globals';
import { STORE_BOUNDS, StoreTally } from '../../src/store-times.ts';

describe('how long the store takes', () => {
  test('is told in buckets, each of which counts what those before it count', () => {
    const tally = new StoreTally();
    for (const seconds of [0, 0.0005, 0.0006, 0.02, 2.5, 60]) tally.add('read', seconds, undefined);
    const { buckets, count } = tally.times().read;
    expect(buckets.map(({ le }) => le)).toEqual([...STORE_BOUNDS, Infinity]);
    expect(buckets.map((each) => each.count)).toEqual([2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5, 6]);
    expect(count).toBe(6);
  });

  test('is told for each thing that a store is asked to do', () => {
    const tally = new StoreTally();
    tally.add('touch', 0.5, 'error');
    const times = tally.times();
    expect(Object.keys(times).toSorted((a, b) => a.localeCompare(b))).toEqual([
      ...['create', 'delete', 'read', 'replace', 'set', 'touch'],
    ]);
    expect(times.touch).toMatchObject({ count: 1, failures: 1, seconds: 0.5 });
    expect(times.read).toMatchObject({ count: 0, failures: 0, seconds: 0 });
  });
});
