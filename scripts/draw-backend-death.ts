// Draws the newest results of `npm run bench:backend-death` into docs/. `npm run chart`
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Result } from '../bench/backend-death/result.ts';
import { chartOf } from './backend-death-chart.ts';

const ROOT = path.join(import.meta.dirname, '..');
const RESULTS = path.join(ROOT, 'bench', 'results');

const charts = [
  { results: /^backend-death-\d{4}-\d\d-\d\d\.json$/, chart: 'backend-death.svg' },
  { results: /^backend-death-\d{4}-\d\d-\d\d-400\.json$/, chart: 'backend-death-400.svg' },
];

for (const { results, chart } of charts) {
  const newest = readdirSync(RESULTS)
    .filter((name) => results.test(name))
    .toSorted()
    .at(-1);
  if (newest === undefined) continue;
  const result = JSON.parse(readFileSync(path.join(RESULTS, newest), 'utf8')) as Result;
  writeFileSync(path.join(ROOT, 'docs', chart), `${chartOf(result)}\n`);
  console.log(`docs/${chart} shows bench/results/${newest}`);
}
