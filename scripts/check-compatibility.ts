// Runs the corners, the contract and the projects under each version of Node, and makes docs/compatibility.md of what
// came of it. `npm run check:compatibility`
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isGreen, PAGE, pageOf, RESULTS } from './compatibility-page.ts';
import {
  installedVersions,
  type JestResults,
  nodeResultsOf,
  type Results,
  TEST_PATHS,
  textOf,
} from './compatibility-results.ts';
import ensureIntegrationTools from './ensure-integration-tools.mjs';
import { NODE_MAJORS, runJestBeside } from './nodes.ts';
import stopRedis from './stop-redis.mjs';

// Once, before the three would do it at the same time; their folders they make themselves.
ensureIntegrationTools();
stopRedis();

const folder = mkdtempSync(path.join(tmpdir(), 'compatibility-'));
const outputOf = (major: string): string => path.join(folder, `node-${major}.json`);

// Beside each other: much of the contract is waiting.
const passed = await Promise.all(
  NODE_MAJORS.map((major) =>
    runJestBeside(major, [
      ...['--selectProjects', 'integration', '--maxWorkers=2'],
      ...['--json', `--outputFile=${outputOf(major)}`],
      ...['--testPathPatterns', ...Object.values(TEST_PATHS)],
    ]),
  ),
);
const nodes = NODE_MAJORS.map((major) => {
  const jest: unknown = JSON.parse(readFileSync(outputOf(major), 'utf8'));
  return nodeResultsOf(jest as JestResults);
});
rmSync(folder, { recursive: true, force: true });

const date = new Date().toISOString().slice(0, 10);
const results: Results = { date, packages: installedVersions(), nodes };
writeFileSync(RESULTS, textOf(results));
writeFileSync(PAGE, pageOf(results));
const green = !passed.includes(false) && isGreen(results);
console.log(`docs/compatibility.md: ${green ? 'all green' : 'NOT all green'}`);
process.exitCode = green ? 0 : 1;
