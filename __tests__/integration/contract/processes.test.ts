import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const FIXTURES = path.join(import.meta.dirname, '../../fixtures/life');

/** What a program of the fixtures prints; rejects unless it ends by itself, and well. */
async function output(program: string, ...options: string[]): Promise<string> {
  const args = [...options, '--import', 'tsx', path.join(FIXTURES, program)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return stdout;
}

test('G4: after close() the process ends by itself, also if a stream was open', async () => {
  expect(await output('exiting-gateway.ts')).toBe('streams: 1\nclosed\n');
});

test('G3: 20 000 sessions add less than 80 MB', async () => {
  const { opened, added } = JSON.parse(await output('many-sessions.ts', '--expose-gc')) as {
    opened: number;
    added: number;
  };
  expect(opened).toBe(20_800);
  expect(added).toBeLessThan(80 * 1024 * 1024);
});
