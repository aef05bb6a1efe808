import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Balancer, type Balance, type Turn } from '../../../src/backends/balance.ts';

const A = 'http://a';
const B = 'http://b';
const C = 'http://c';
const ALL = [A, B, C];
const req = {} as IncomingMessage;

/** The first choices, one after the other. */
function firsts(balancer: Balancer, turns: readonly Turn[], candidates = ALL): unknown[] {
  return turns.map((turn) => balancer.order(candidates, [], req, turn)[0]);
}

const opening = (count: number): Turn[] => Array.from({ length: count }, () => 'opening');
const inTurn = (): Balancer => new Balancer('round-robin', () => 0);
const askedFor = (balance: unknown): (() => unknown) => {
  const balancer = new Balancer(balance as Balance, () => 0);
  return () => balancer.order([A], [], req, 'opening');
};

describe('D1, A7: in turn', () => {
  test('each backend comes first once, and the others after it', () => {
    const balancer = inTurn();
    const orders = opening(4).map((turn) => balancer.order(ALL, [], req, turn));
    expect(orders).toEqual([ALL, [B, C, A], [C, A, B], ALL]);
  });

  test.each([
    ['before each session', ['other', 'opening']],
    ['twice before each session', ['other', 'other', 'opening']],
    ['after each session', ['opening', 'other']],
  ] as const)('sessions are shared out evenly where clients ask something %s', (_, turns) => {
    const asked = Array.from({ length: 40 }, () => turns).flat();
    const chosen = firsts(inTurn(), asked, [A, B]);
    const openings = chosen.filter((first, at) => asked[at] === 'opening' && first === A);
    expect(openings).toHaveLength(20);
    const all = chosen.filter((first) => first === A);
    expect(Math.abs(2 * all.length - asked.length)).toBeLessThanOrEqual(2);
  });

  test('it is even: of any number of requests none has two more than another', () => {
    const property = (size: number, count: number): void => {
      const candidates = Array.from({ length: size }, (_, at) => `http://b${at}`);
      const chosen = firsts(inTurn(), opening(count), candidates);
      const turns = candidates.map((origin) => chosen.filter((first) => first === origin).length);
      expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1);
    };
    fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(200), property));
  });

  test('it goes on where backends leave in between', () => {
    const balancer = inTurn();
    expect(firsts(balancer, opening(2))).toEqual([A, B]);
    expect(firsts(balancer, opening(3), [A, B])).toEqual([A, B, A]);
  });

  test('one that is new, or comes back, is not given all until it has caught up', () => {
    const balancer = inTurn();
    firsts(balancer, opening(100), [A, B]);
    const chosen = firsts(balancer, opening(30));
    expect(chosen.filter((first) => first === C)).toHaveLength(10);
    expect(chosen.slice(0, 6)).toEqual([C, A, B, C, A, B]);
  });

  test('one that was away for requests of the other kind is not given all of them', () => {
    const balancer = inTurn();
    firsts(balancer, Array(100).fill('other'), [A, B]);
    expect(firsts(balancer, Array(6).fill('other'))).toEqual([C, A, B, C, A, B]);
  });

  test('one that is forgotten begins anew', () => {
    const balancer = inTurn();
    firsts(balancer, opening(1));
    balancer.forget(A);
    expect(firsts(balancer, opening(4))).toEqual([A, B, C, A]);
  });
});

describe('least connections', () => {
  test('takes the backend with the fewest requests and streams', () => {
    const open = new Map([
      [A, 3],
      [B, 1],
      [C, 2],
    ]);
    const balancer = new Balancer('least-connections', (origin) => open.get(origin) ?? 0);
    expect(balancer.order(ALL, [], req, 'opening')).toEqual([B, C, A]);
  });

  test('takes them in turn where they have as many', () => {
    const balancer = new Balancer('least-connections', () => 1);
    expect(firsts(balancer, opening(4))).toEqual([A, B, C, A]);
  });

  test('one that answers faster than the others is not given what they had in the meantime', () => {
    const balancer = new Balancer('least-connections', () => 0);
    firsts(balancer, opening(300), [A, B]);
    expect(firsts(balancer, opening(15))).toEqual(Array(15).fill(C));
    const chosen = firsts(balancer, opening(30));
    expect(chosen.filter((first) => first === C).length).toBeLessThan(15);
  });
});

describe('a function', () => {
  test('says which one is first; the others are tried in turn', () => {
    const asked: unknown[] = [];
    const balancer = new Balancer(
      (...args) => {
        asked.push(args);
        return C;
      },
      () => 0,
    );
    expect(balancer.order(ALL, [], req, 'opening')).toEqual([C, A, B]);
    expect(asked).toEqual([[ALL, req]]);
  });

  test('may name one that is not offered: it is tried first', () => {
    const balancer = new Balancer(
      () => C,
      () => 0,
    );
    expect(balancer.order([A], [B, C], req, 'opening')).toEqual([C, A, B]);
  });

  test.each([[undefined], ['http://d'], ['http://a/']])('that returns %p is told', (chosen) => {
    expect(askedFor(() => chosen)).toThrow(/balance: returned .*not one of the candidates/);
  });

  test.each([() => Promise.resolve(A), () => Promise.reject(new Error('of the user'))])(
    'G2: that returns a promise is told, and ends no process (%p)',
    async (balance) => {
      expect(askedFor(balance)).toThrow('balance: returned a promise; it must return');
      await new Promise(setImmediate);
    },
  );

  test('is told also of what has no JSON', () => {
    expect(askedFor(() => 5n)).toThrow('balance: returned bigint, which is not one');
  });
});
