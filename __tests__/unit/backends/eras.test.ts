import { describe, expect, test } from '@jest/globals';
import { Eras, spokenBy, tiersFor } from '../../../src/backends/eras.ts';

describe('E1: what was learned of the era of a backend', () => {
  test('is to be asked again after the ttl, and is worth nothing after twelve of them', () => {
    const clock = { now: 0 };
    const eras = new Eras(100, () => clock.now);
    expect([eras.isFresh('a'), eras.speaks('a', 'modern')]).toEqual([false, undefined]);
    eras.learn('a', { modern: true });
    const seen = [0, 99, 100, 1199, 1200].map((now) => {
      clock.now = now;
      return [eras.isFresh('a'), eras.speaks('a', 'modern')];
    });
    expect(seen).toEqual([
      [true, true],
      [true, true],
      [false, true],
      [false, true],
      [false, undefined],
    ]);
  });

  test('adds up, and is forgotten when another process may be there', () => {
    const eras = new Eras(100, () => 0);
    eras.learn('a', { modern: true, legacy: false });
    eras.learn('a', { legacy: true });
    expect([eras.speaks('a', 'modern'), eras.speaks('a', 'legacy')]).toEqual([true, true]);
    eras.forget('a');
    expect([eras.speaks('a', 'modern'), eras.isFresh('a')]).toEqual([undefined, false]);
  });
});

describe('E1: backends for a request of an era', () => {
  const tiers = [['a', 'b', 'c'], ['d']];
  const heard = (known: Record<string, boolean>) => (origin: string) => known[origin];

  test.each([
    [{}, tiers],
    [{ b: true }, tiers],
    [{ a: false }, [['b', 'c'], ['d'], ['a']]],
    [
      { a: false, b: true, d: false },
      [
        ['b', 'c'],
        ['a', 'd'],
      ],
    ],
    [{ a: false, b: false, c: false, d: false }, [['a', 'b', 'c', 'd']]],
  ])('where %j is known are %j', (known: Record<string, boolean>, expected) => {
    expect(tiersFor(tiers, heard(known))).toEqual(expected);
  });

  test.each([
    [{}, tiers],
    [{ a: true }, [['a'], ['b', 'c'], ['d']]],
    [{ a: true, b: true, c: true }, tiers],
    [{ a: true, b: false }, [['a'], ['c'], ['d'], ['b']]],
    [{ d: true }, tiers],
  ])('where those that are not known are to be asked, and %j is known, are %j', (...given) => {
    const [known, expected] = given as [Record<string, boolean>, string[][]];
    expect(tiersFor(tiers, heard(known), () => true)).toEqual(expected);
  });

  test.each([
    ['modern', { modern: true, legacy: false }],
    ['legacy', { modern: false, legacy: true }],
    ['both', { modern: true, legacy: true }],
    [undefined, {}],
  ] as const)('the operator may say %s', (era, spoken) => {
    expect(spokenBy(era)).toEqual(spoken);
  });
});
