// Runs the corners, the contract and the projects under each version of Node, and makes docs/compatibility.md of what
// came of it. `npm run check:compatibility`
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isGreen, PAGE, pageOf, RESULTS } from './compatibility-page.ts';
import {
  installedVersions,
  type JestResults,
  type NodeResults,
  nodeResultsOf,
  type Results,
  TEST_PATHS,
  textOf,
} from './compatibility-results.ts';
import { NODE_MAJORS, runJest } from './nodes.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'compatibility-'));
const nodes: NodeResults[] = [];
let passed = true;
for (const major of NODE_MAJORS) {
  console.log(`== Node ${major}`);
  const output = path.join(folder, `node-${major}.json`);
  passed =
    runJest(major, [
      ...['--selectProjects', 'integration', '--maxWorkers=2', '--json', `--outputFile=${output}`],
      ...['--testPathPatterns', ...Object.values(TEST_PATHS)],
    ]) && passed;
  nodes.push(nodeResultsOf(JSON.parse(readFileSync(output, 'utf8')) as JestResults));
}
rmSync(folder, { recursive: true, force: true });

const date = new Date().toISOString().slice(0, 10);
const results: Results = { date, packages: installedVersions(), nodes };
writeFileSync(RESULTS, textOf(results));
writeFileSync(PAGE, pageOf(results));
const green = passed && isGreen(results);
console.log(`docs/compatibility.md: ${green ? 'all green' : 'NOT all green'}`);
process.exitCode = green ? 0 : 1;
