import type { Results, Table } from '../bench/lib/result.ts';
import { chartOn, line, text } from './chart-card.ts';
import { element } from './svg.ts';

const WIDTH = 830;
const HEIGHT = 250;
const MARGIN = 18;
const GAP = 46;
const TOP = 92;
const PLOT = { width: (WIDTH - 2 * MARGIN - 3 * GAP) / 3, height: 104 };

interface Curve {
  readonly title: string;
  readonly of: string;
  readonly points: readonly { readonly x: string; readonly y: number }[];
}

/** How the forwarder does with many sessions, and with many event streams. */
export function chartOf(results: Results): string {
  const curves = curvesOf(results);
  const title = 'sessionForwarder with many sessions and many open streams';
  const said = curves.map(
    ({ title: name, points }) => `${name}: ${points.map(({ x, y }) => `${y} at ${x}`).join(', ')}.`,
  );
  const card = {
    ...{ width: WIDTH, height: HEIGHT, left: MARGIN, title, said: said.join(' ') },
    subtitle: `Node ${results.node}, ${results.date}`,
    style: '\n.curve { fill: none; stroke: #2f81c7; stroke-width: 2 }',
  };
  return chartOn(card, [
    ...curves.flatMap((curve, at) => panel(curve, MARGIN + GAP + at * (PLOT.width + GAP))),
  ]);
}

/** @throws if the results have no such tables */
export function curvesOf({ sections }: Results): Curve[] {
  const tables: readonly Table[] = sections.flatMap((section) => section.tables);
  const rowsOf = (beginning: string): Table['rows'] => {
    const table = tables.find(({ title }) => title.startsWith(beginning));
    if (!table) throw new Error(`the results have no table "${beginning}..."`);
    return table.rows;
  };
  const sessions = rowsOf('Sessions in Redis');
  const streams = rowsOf('Idle event streams through sessionForwarder');
  const points = (rows: Table['rows'], column: number): Curve['points'] =>
    rows.map((row) => ({ x: shortened(row[0] ?? ''), y: Number.parseFloat(row[column] ?? '') }));
  return [
    { title: 'requests per second, 10 = 1', of: 'sessions in Redis', points: points(sessions, 2) },
    { title: 'heap and buffers, MB', of: 'idle streams', points: points(streams, 1) },
    { title: 'p99 of a POST, ms', of: 'idle streams', points: points(streams, 4) },
  ];
}

function panel({ title, of, points }: Curve, left: number): string[] {
  const base = TOP + PLOT.height;
  const most = Math.max(...points.map(({ y }) => y));
  const x = (at: number): number => left + (at / (points.length - 1)) * PLOT.width;
  const y = (value: number): number => base - (value / most) * PLOT.height;
  const path = points.map((point, at) => `${x(at).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ');
  const middle = { class: 'quiet', 'text-anchor': 'middle' };
  return [
    text({ x: left, y: TOP - 16, class: 'front' }, title),
    ...[0, most].flatMap((value) => [
      line('grid', left, y(value), left + PLOT.width),
      text({ x: left - 6, y: y(value) + 4, class: 'quiet', 'text-anchor': 'end' }, String(value)),
    ]),
    element('polyline', { class: 'curve', points: path }),
    ...points.map((point, at) => text({ ...middle, x: x(at), y: base + 18 }, point.x)),
    text({ ...middle, x: left + PLOT.width / 2, y: base + 36 }, of),
  ];
}

/** 1,000,000 is 1M, 10,000 is 10k. */
function shortened(count: string): string {
  return count.replace(/,000,000$/, 'M').replace(/,000$/, 'k');
}
