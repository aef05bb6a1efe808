import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { CHARTS, drawn } from '../../../scripts/draw-charts.ts';

const DOCS = path.join(import.meta.dirname, '../../../docs');

test.each(CHARTS)('docs/$name shows the newest results', (chart) => {
  expect(readFileSync(path.join(DOCS, chart.name), 'utf8')).toBe(drawn(chart)?.svg);
});
