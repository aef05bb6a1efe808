import { expect, test } from '@jest/globals';
import { Outages } from '../../../src/backends/outages.ts';

test('D3: an outage begins with the first connection that fails', () => {
  const outages = new Outages();
  expect([outages.failed('a', 1000), outages.failed('a', 1500), outages.failed('a', 4000)]).toEqual(
    [0, 500, 3000],
  );
});

test('D3: it ends with the first that is made', () => {
  const outages = new Outages();
  outages.failed('a', 1000);
  outages.reached('a');
  expect(outages.failed('a', 9000)).toBe(0);
});

test('D3: each backend has its own', () => {
  const outages = new Outages();
  outages.failed('a', 1000);
  outages.reached('b');
  expect([outages.failed('b', 2000), outages.failed('a', 3000)]).toEqual([0, 2000]);
});

test('G3: of origins that come from records no more than 1000 are remembered', () => {
  const outages = new Outages();
  for (let at = 0; at <= 1000; at += 1) outages.failed(`origin ${at}`, 0);
  expect([outages.failed('origin 1000', 5), outages.failed('origin 0', 5)]).toEqual([5, 0]);
});
