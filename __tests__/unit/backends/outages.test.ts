import { expect, test } from '@jest/globals';
import { Outages } from '../../../src/backends/outages.ts';

function outagesAt(): { readonly outages: Outages; readonly clock: { now: number } } {
  const clock = { now: 1000 };
  return { outages: new Outages(() => clock.now), clock };
}

test('D3: an outage begins with the first connection that fails', () => {
  const { outages, clock } = outagesAt();
  outages.of('a').failed();
  clock.now = 1500;
  outages.of('a').failed();
  clock.now = 4000;
  expect([outages.of('a').outFor, outages.of('b').outFor]).toEqual([3000, 0]);
});

test('D3: it ends with the first that is made, and each place has its own', () => {
  const { outages, clock } = outagesAt();
  outages.of('a').failed();
  outages.of('b').failed();
  outages.of('a').connected();
  clock.now = 9000;
  expect([outages.of('a').outFor, outages.of('b').outFor]).toEqual([0, 8000]);
});

test('D4: that a request was broken off is no outage', () => {
  const { outages, clock } = outagesAt();
  outages.of('a').suspect();
  clock.now = 9000;
  expect(outages.of('a').outFor).toBe(0);
});

test('G3: of places that come from records no more than 1000 are remembered', () => {
  const { outages, clock } = outagesAt();
  for (let at = 0; at <= 1000; at += 1) outages.of(`origin ${at}`).failed();
  clock.now = 1005;
  expect([outages.of('origin 1000').outFor, outages.of('origin 0').outFor]).toEqual([5, 0]);
});
