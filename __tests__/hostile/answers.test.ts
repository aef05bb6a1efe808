import { beforeAll, describe, jest, test } from '@jest/globals';
import { startForAll } from '../helpers/cleanup.ts';
import { stacks } from '../helpers/pairings.ts';
import type { HostileAnswer } from './answers/answer.ts';
import { brokenFamilies } from './answers/broken.ts';
import { idFamilies } from './answers/ids.ts';
import { misleadingFamilies } from './answers/misleading.ts';
import { type Scene, startScene } from './scene.ts';
import { suffer } from './suffer.ts';
import { titleOf } from './title.ts';

jest.setTimeout(30_000);

describe.each(stacks)('$name', (stack) => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await startForAll(() => startScene(stack, true));
  });

  describe.each([...idFamilies, ...brokenFamilies, ...misleadingFamilies])(
    '$title',
    ({ answers, id }) => {
      // oxlint-disable-next-line jest/expect-expect -- what is called expects
      test.each(
        answers.map((answer): [string, HostileAnswer] => [titleOf({ id, ...answer }), answer]),
      )('%s', (_, answer) =>
        suffer(scene, answer, { ...answer.expected, ...answer.on?.[stack.proxy] }),
      );
    },
  );
});
