import { spawnSync } from 'node:child_process';

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  ...['--selectProjects', 'unit', 'integration', 'hostile', '--maxWorkers=2'],
];

const failures = ['20', '22', '24'].filter((major) => {
  console.log(`== Node ${major}`);
  // `node` as a devDependency would become the Node of every npm script.
  const here = process.versions.node.startsWith(`${major}.`);
  const [command, args] = here
    ? [process.execPath, JEST]
    : ['npx', ['--yes', '-p', `node@${major}`, 'node', ...JEST]];
  const env = { ...process.env, MATRIX: 'full' };
  return spawnSync(command, args, { stdio: 'inherit', env }).status !== 0;
});

if (failures.length > 0) {
  console.error(`Failed under Node ${failures.join(', ')}`);
  process.exitCode = 1;
}
