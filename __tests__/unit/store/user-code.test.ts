import { describe, expect, test } from '@jest/globals';
import { noIfItThrows, tell, yesOrNo } from '../../../src/store/user-code.ts';
import { warnings } from '../../helpers/warnings.ts';
import { settled } from './clocked-store.ts';

const mistake = new Error('mistake of the user');
const noText: unknown = Object.create(null);

describe('G2: a listener', () => {
  test.each<[string, () => unknown]>([
    [
      'that throws',
      () => {
        throw mistake;
      },
    ],
    ['that is async and rejects', () => Promise.reject(mistake)],
    [
      'with a promise of another library that rejects',
      () => ({ then: (_resolve: unknown, reject: (error: Error) => void) => reject(mistake) }),
    ],
  ])('%s is told as a warning', async (_what, listener) => {
    const warned = warnings();
    tell(listener);
    await settled();
    expect(warned).toEqual(['Error: mistake of the user']);
  });

  test('may reject with anything', async () => {
    const warned = warnings();
    for (const reason of ['a text', undefined, noText]) tell(() => Promise.reject(reason));
    await settled();
    expect(warned).toEqual(['a text', 'undefined', 'something that cannot be shown']);
  });

  test('that is fine is not warned about', async () => {
    const warned = warnings();
    tell(() => 5);
    tell(async () => {});
    await settled();
    expect(warned).toEqual([]);
  });
});

describe('G2: a question that is to be answered by true or false', () => {
  test.each([true, false, 1, 'yes', {}, undefined])('is answered yes by true only (%p)', (said) => {
    expect(yesOrNo('skip', () => said)()).toBe(said === true);
  });

  test.each([() => Promise.resolve(true), () => Promise.reject(mistake)])(
    'is not answered by a promise, which is told once (%p)',
    async (promised) => {
      const warned = warnings();
      const ask = yesOrNo('skip', promised);
      expect([ask(), ask()]).toEqual([false, false]);
      await settled();
      expect(warned).toEqual([expect.stringContaining('"skip" must say true or false at once')]);
    },
  );

  test('is answered no by a throw where that must not fail the request', () => {
    const warned = warnings();
    const fail = (): never => {
      throw mistake;
    };
    expect([noIfItThrows(fail)(), noIfItThrows(() => true)()]).toEqual([false, true]);
    expect(warned).toEqual(['Error: mistake of the user']);
  });

  test('is asked with what it is asked with', () => {
    expect(yesOrNo('skip', (a: number, b: number) => a === b)(2, 2)).toBe(true);
  });
});
