import { createRequire } from 'node:module';

// Its types are those of the module that `require` finds.
/** @type {typeof import('@jest/test-sequencer')} */
const { default: Sequencer } = createRequire(import.meta.url)('@jest/test-sequencer');

/**
 * Test files that run long and are small. Where Jest has not run them before it begins with the largest files, and
 * would end with these, one after the other, while its other worker has nothing to do.
 */
export const LONG = [
  'integration/contract/contract.test.ts',
  'hostile/inputs.test.ts',
  'hostile/answers.test.ts',
  'hostile/fuzz.test.ts',
];

/** @param {{ readonly path: string }} test */
function placeOf({ path }) {
  const at = LONG.findIndex((name) => path.endsWith(`/__tests__/${name}`));
  return at === -1 ? LONG.length : at;
}

/**
 * Those that run long in front, all others in the order in which they are.
 * @template {{ readonly path: string }} T
 * @param {readonly T[]} tests
 */
export function longestFirst(tests) {
  return tests.toSorted((one, other) => placeOf(one) - placeOf(other));
}

export default class LongestFirst extends Sequencer {
  /**
   * @override
   * @param {Parameters<InstanceType<typeof Sequencer>['sort']>[0]} tests
   */
  async sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is no array
    return longestFirst(await super.sort(tests));
  }
}
