import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { fuzz, PROXIES } from './fuzz/fuzz.ts';

/** All of the proxies share 20 seconds. */
const SECONDS = 20 / PROXIES.length;

test.each(PROXIES)(
  'G2: spoilt requests neither end a gateway with proxy %s nor go astray',
  async (proxy) => {
    const seed = randomInt(2 ** 31);
    const { rounds, ...found } = await fuzz({ proxy, seed, seconds: SECONDS });
    // With the seed, so that it can be run again.
    expect({ seed, ...found }).toEqual({ seed, crashes: 0, misroutes: 0, faults: [] });
    expect(rounds).toBeGreaterThan(0);
  },
);
