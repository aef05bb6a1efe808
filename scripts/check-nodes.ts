// Runs the tests under each version of Node, with every combination of packages. `npm run check:nodes`
import { NODE_MAJORS, runJest } from './nodes.ts';

const PROJECTS = ['unit', 'integration', 'hostile', 'browser'];

const failures = NODE_MAJORS.filter((major) => {
  console.log(`== Node ${major}`);
  return !runJest(major, ['--selectProjects', ...PROJECTS, '--maxWorkers=2']);
});

if (failures.length > 0) {
  console.error(`Failed under Node ${failures.join(', ')}`);
  process.exitCode = 1;
}
