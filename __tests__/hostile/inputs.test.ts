import { beforeAll, describe, jest, test } from '@jest/globals';
import { startForAll } from '../helpers/cleanup.ts';
import { stacks } from '../helpers/pairings.ts';
import { attack } from './attack.ts';
import { families } from './inputs/families.ts';
import type { Input } from './inputs/input.ts';
import { type Scene, startScene } from './scene.ts';
import { titleOf } from './title.ts';

jest.setTimeout(30_000);

describe.each(stacks)('$name', (stack) => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await startForAll(() => startScene(stack));
  });

  describe.each(families)('$title', ({ inputs, id }) => {
    // oxlint-disable-next-line jest/expect-expect -- the attack expects
    test.each(inputs.map((input): [string, Input] => [titleOf({ id, ...input }), input]))(
      '%s',
      (_, input) => attack(scene, input, { ...input.expected, ...input.on?.[stack.proxy] }),
    );
  });
});
