import { spawnSync } from 'node:child_process';

/** The versions of Node that the package is tested under. */
export const NODE_MAJORS: readonly string[] = ['20', '22', '24'];

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** Runs tests under a version of Node, with every combination of packages. @returns whether all have passed */
export function runJest(major: string, args: readonly string[]): boolean {
  const jest = [...JEST, ...args];
  // `node` as a devDependency would become the Node of every npm script.
  const here = process.versions.node.startsWith(`${major}.`);
  const [command, all] = here
    ? [process.execPath, jest]
    : ['npx', ['--yes', '-p', `node@${major}`, 'node', ...jest]];
  const env = { ...process.env, MATRIX: 'full' };
  return spawnSync(command, all, { stdio: 'inherit', env }).status === 0;
}
