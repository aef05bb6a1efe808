import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { BackendList, type Balance } from '../../../src/backends/backend-list.ts';

const A = 'http://a';
const B = 'http://b';
const C = 'http://c';
const req = {} as IncomingMessage;

describe('D1, A7: a list of backends', () => {
  test('gives each its turn, and the others to try after it', () => {
    const list = new BackendList([A, B, C], 'round-robin');
    expect(Array.from({ length: 4 }, () => list.choose(req))).toEqual([
      [A, B, C],
      [B, C, A],
      [C, A, B],
      [A, B, C],
    ]);
  });

  test('is even: of any number of requests none has two more than another', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 200 }),
        (size, count) => {
          const list = new BackendList(
            Array.from({ length: size }, (_, at) => `http://b${at}`),
            'round-robin',
          );
          const turns = new Map<string | undefined, number>();
          for (let at = 0; at < count; at += 1) {
            const [first] = list.choose(req);
            turns.set(first, (turns.get(first) ?? 0) + 1);
          }
          const each = [...turns.values()];
          expect(
            Math.max(...each) - (turns.size < size ? 0 : Math.min(...each)),
          ).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test('asks the function for the first, and tries the others in turn', () => {
    const asked: unknown[] = [];
    const balance: Balance = (...args) => {
      asked.push(args);
      return C;
    };
    expect(new BackendList([A, B, C], balance).choose(req)).toEqual([C, A, B]);
    expect(asked).toEqual([[[A, B, C], req]]);
  });

  test.each([[undefined], ['http://d'], ['http://a/']])(
    'does not take %p from the function',
    (chosen) => {
      const list = new BackendList([A], (() => chosen) as unknown as Balance);
      expect(() => list.choose(req)).toThrow(/balance: returned .*not one of the candidates/);
    },
  );

  test.each([() => Promise.resolve(A), () => Promise.reject(new Error('of the user'))])(
    'G2: takes no promise from the function, and lets none end the process (%p)',
    async (balance) => {
      const list = new BackendList([A], balance as () => never);
      expect(() => list.choose(req)).toThrow('balance: returned a promise; it must return');
      await new Promise(setImmediate);
    },
  );

  test('tells also of what has no JSON', () => {
    const list = new BackendList([A], (() => 5n) as () => never);
    expect(() => list.choose(req)).toThrow('balance: returned bigint, which is not one');
  });

  test('knows its own', () => {
    const list = new BackendList([A, new URL('http://b/')], 'round-robin');
    expect([A, B, C, 'http://a/', ''].map((origin) => list.has(origin))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('of one may be given as it is', () => {
    expect(new BackendList(A, 'round-robin').choose(req)).toEqual([A]);
    expect(new BackendList(new URL(A), 'round-robin').choose(req)).toEqual([A]);
  });

  test.each([
    [[], /backends: must be an origin or a list of at least one/],
    [null, /backends: must be an origin or a list/],
    [7, /backends: must be an origin or a list/],
    [[A, 'http://a/'], /backends: http:\/\/a is given twice/],
    [[A, '/mcp'], /backends: "\/mcp" must be an absolute/],
  ])('%p is refused', (given, message) => {
    expect(() => new BackendList(given as string[], 'round-robin')).toThrow(message);
  });
});
