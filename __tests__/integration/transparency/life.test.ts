import { expect, test } from '@jest/globals';
import { runToEnd } from '../../helpers/run-to-end.ts';
import { MEBIBYTE } from '../../helpers/streamed-bytes.ts';

// Of http-proxy, under http-proxy-middleware 3: Node 24 warns of what it calls.
const FLAGS = ['--no-deprecation'];

test.each(['4', '3'])(
  'G2, G4 a gateway on http-proxy-middleware %s lives through every fault, and ends when it is closed',
  async (proxy) => {
    expect(await runToEnd('life/faults.ts', [proxy], FLAGS)).toEqual({
      code: 0,
      output: '502\nclosed, 0 streams\n',
    });
  },
);

test('G3 20 000 sessions add less than 80 MB', async () => {
  const { code, output } = await runToEnd('life/many-sessions.ts', [], ['--expose-gc']);
  expect(code).toBe(0);
  const { opened, added } = JSON.parse(output) as { opened: number; added: number };
  expect(opened).toBeGreaterThanOrEqual(20_000);
  expect(added).toBeLessThan(80 * MEBIBYTE);
}, 120_000);
