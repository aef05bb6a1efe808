// Draws the newest results of the benchmarks into docs/. `npm run chart`
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chartOf as backendDeath } from './backend-death-chart.ts';
import { chartOf as performance } from './performance-chart.ts';
import { chartOf as scale } from './scale-chart.ts';

const ROOT = path.join(import.meta.dirname, '..');
const RESULTS = path.join(ROOT, 'bench', 'results');

/** Of the Node that is recommended. */
const MEASURED = /^\d{4}-\d\d-\d\d-node-24\.json$/;

interface Chart {
  readonly name: string;
  /** The files it may be drawn from; the last one by name is the newest. */
  readonly results: RegExp;
  readonly draw: (result: never) => string;
}

export const CHARTS: readonly Chart[] = [
  {
    name: 'backend-death.svg',
    results: /^backend-death-\d{4}-\d\d-\d\d\.json$/,
    draw: backendDeath,
  },
  {
    name: 'backend-death-400.svg',
    results: /^backend-death-\d{4}-\d\d-\d\d-400\.json$/,
    draw: backendDeath,
  },
  { name: 'performance.svg', results: MEASURED, draw: performance },
  { name: 'scale.svg', results: MEASURED, draw: scale },
];

/** The newest results of a chart, and what they look like. */
export function drawn({ results, draw }: Chart): { file: string; svg: string } | undefined {
  const file = readdirSync(RESULTS)
    .filter((name) => results.test(name))
    .toSorted()
    .at(-1);
  if (file === undefined) return undefined;
  const result: unknown = JSON.parse(readFileSync(path.join(RESULTS, file), 'utf8'));
  return { file, svg: `${draw(result as never)}\n` };
}

export function drawAll(): void {
  for (const chart of CHARTS) {
    const { file, svg } = drawn(chart) ?? {};
    if (file === undefined || svg === undefined) continue;
    writeFileSync(path.join(ROOT, 'docs', chart.name), svg);
    console.log(`docs/${chart.name} shows bench/results/${file}`);
  }
}
