import { expect, test } from '@jest/globals';
import { Comparison, median, quantile } from '../../../bench/lib/comparison.ts';
import { isReached, shown, textOf, type Figure } from '../../../bench/lib/result.ts';
import { barsOf, chartOf } from '../../../scripts/performance-chart.ts';
import { chartOf as scaleChartOf, curvesOf } from '../../../scripts/scale-chart.ts';

const figure = (value: number, bounds: Partial<Figure>): Figure => ({
  ...{ id: 'P0', what: 'it', unit: 'us', value },
  ...bounds,
});

const results = {
  ...{ date: '2026-01-02', node: 'v24.0.0', machine: '2 cores' },
  sections: [
    {
      figures: [figure(2, { atMost: 1 }), figure(2, { atLeast: 1 }), figure(2, {})],
      tables: [
        {
          title: 'CPU time per request of a session, 1 connection',
          head: ['', 'CPU per request'],
          rows: [
            ['a & b', '20 us'],
            ['Express + mcpSessionRouting', '40.5 us'],
          ],
        },
      ],
    },
  ],
};

test('a figure is reached at its bound, and missed beyond', () => {
  expect([1, 1.01].map((value) => isReached(figure(value, { atMost: 1 })))).toEqual([true, false]);
  expect([1, 0.99].map((value) => isReached(figure(value, { atLeast: 1 })))).toEqual([true, false]);
  expect(isReached(figure(1e9, {}))).toBe(true);
});

test('the text says which targets are missed', () => {
  const lines = textOf(results).split('\n');
  expect(lines.filter((line) => line.startsWith('| P0'))).toEqual([
    '| P0 | it | 2 us | at most 1 us | missed |',
    '| P0 | it | 2 us | at least 1 us | reached |',
    '| P0 | it | 2 us |  |  |',
  ]);
});

test.each([
  [0.12345, 'x', '0.123 x'],
  [1.5, 'ms', '1.5 ms'],
  [12.34, 'us', '12.3 us'],
  [1234.5, '', '1235'],
])('%d %s is written as %s', (value, unit, text) => {
  expect(shown(value, unit)).toBe(text);
});

test('the chart has a bar for each row, as long as its figure', () => {
  expect(barsOf(results).map(({ us }) => us)).toEqual([20, 40.5]);
  const widths = [...chartOf(results).matchAll(/class="(?:ok|dead)".*?width="([\d.]+)"/g)];
  const [short, long] = widths.map(([, width]) => Number(width));
  expect((long ?? 0) / (short ?? 1)).toBeCloseTo(40.5 / 20, 1);
  expect(chartOf(results)).toContain('a &amp; b');
  expect(() => barsOf({ ...results, sections: [] })).toThrow('no table');
});

test('the curves are those of the tables', () => {
  const tables = [
    {
      title: 'Sessions in Redis, each as likely',
      head: [],
      rows: [
        ['10', '4000', '1 x'],
        ['1,000,000', '3000', '0.75 x'],
      ],
    },
    {
      title: 'Idle event streams through sessionForwarder',
      head: [],
      rows: [
        ['0', '20 MB', '100 MB', '1 ms', '2 ms'],
        ['5000', '120 MB', '400 MB', '1 ms', '2.5 ms'],
      ],
    },
  ];
  const measured = { ...results, sections: [{ figures: [], tables }] };
  expect(curvesOf(measured).map(({ points }) => points)).toEqual([
    [
      { x: '10', y: 1 },
      { x: '1M', y: 0.75 },
    ],
    [
      { x: '0', y: 20 },
      { x: '5000', y: 120 },
    ],
    [
      { x: '0', y: 2 },
      { x: '5000', y: 2.5 },
    ],
  ]);
  expect(scaleChartOf(measured).match(/<polyline/g)).toHaveLength(3);
});

const sample = (cpu: number): { cpu: number; rate: number } => ({ cpu, rate: 1e6 / cpu });

test('variants are compared over the rounds that were quiet for all of them', () => {
  const compared = new Comparison({
    a: [sample(10), sample(100), sample(10), sample(10)],
    b: [sample(20), sample(20), sample(900), sample(20)],
  });
  expect(compared.cpu('a')).toBe(10);
  expect(compared.cpu('b')).toBe(20);
  expect(compared.efficiency('b', 'a')).toBe(0.5);
  expect(compared.rate('b')).toBe(50_000);
});

test('median and quantile are values that were measured', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(quantile([5, 1, 4, 2, 3], 0.99)).toBe(5);
});
