import { spawn, spawnSync, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** The versions of Node that the package is tested under. */
export const NODE_MAJORS: readonly string[] = ['20', '22', '24'];

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** Runs tests under a version of Node, with every combination of packages. @returns whether all have passed */
export function runJest(major: string, args: readonly string[]): boolean {
  const { command, all, env } = jestUnder(major, args);
  return spawnSync(command, all, { stdio: 'inherit', env }).status === 0;
}

/** The same, beside others; what is printed is shown when it is over. */
export async function runJestBeside(major: string, args: readonly string[]): Promise<boolean> {
  const { command, all, env } = jestUnder(major, args);
  // Jest prints its results to stderr.
  const child = spawn(command, all, { stdio: ['ignore', 'ignore', 'pipe'], env });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  console.log(`== Node ${major}\n${said}`);
  return code === 0;
}

function jestUnder(
  major: string,
  args: readonly string[],
): { command: string; all: string[]; env: SpawnOptions['env'] } {
  const jest = [...JEST, ...args];
  const env = { ...process.env, MATRIX: 'full' };
  // `node` as a devDependency would become the Node of every npm script.
  const here = process.versions.node.startsWith(`${major}.`);
  if (here) return { command: process.execPath, all: jest, env };
  return { command: 'npx', all: ['--yes', '-p', `node@${major}`, 'node', ...jest], env };
}
