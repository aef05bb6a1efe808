import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onCleanup } from './cleanup.ts';

/** Runs a fixture in a process of its own until it ends by itself; what it prints is its result. */
export async function runToEnd(
  fixture: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<{ code: unknown; output: string }> {
  const file = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url));
  const env = { ...process.env, NODE_OPTIONS: '' };
  const child = spawn(process.execPath, [...flags, '--import', 'tsx', file, ...args], { env });
  onCleanup(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, output };
}
