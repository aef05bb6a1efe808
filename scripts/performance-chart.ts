import type { Results, Table } from '../bench/lib/result.ts';
import { chartOn, text } from './chart-card.ts';
import { element } from './svg.ts';

const WIDTH = 830;
const LEFT = 18;
const NAMES = 452;
const RIGHT = 74;
const FIRST = 74;
const PITCH = 30;
const BAR = 18;
/** How the table of the results begins that is drawn. */
const DRAWN = 'CPU time per request of a session';

interface Bar {
  readonly name: string;
  readonly us: number;
}

/** CPU time per request of this package and of others in its place, as bars. */
export function chartOf(results: Results): string {
  const bars = barsOf(results);
  const most = Math.max(...bars.map(({ us }) => us));
  const height = FIRST + bars.length * PITCH + 14;
  const title = 'CPU time that a gateway takes for a request of a session';
  const subtitle = `microseconds, less is better; Node ${results.node}, ${results.date}, all in front of the same backend`;
  const card = {
    ...{ width: WIDTH, height, left: LEFT, title, subtitle },
    said: bars.map(({ name, us }) => `${name}: ${us} us.`).join(' '),
    style: '\n.ours { font-weight: 600 }',
  };
  return chartOn(card, [...bars.flatMap((bar, at) => drawn(bar, most, FIRST + at * PITCH))]);
}

/** The rows of the table that is drawn. @throws if the results have none */
export function barsOf({ sections }: Results): Bar[] {
  const tables: readonly Table[] = sections.flatMap((section) => section.tables);
  const table = tables.find(({ title }) => title.startsWith(DRAWN));
  if (!table) throw new Error(`the results have no table "${DRAWN}..."`);
  return table.rows.map(([name = '', cost = '']) => ({ name, us: Number.parseFloat(cost) }));
}

function drawn({ name, us }: Bar, most: number, y: number): string[] {
  const width = (us / most) * (WIDTH - NAMES - RIGHT);
  const ours = name.includes('mcpSessionRouting');
  return [
    text({ x: LEFT, y: y + 13, class: ours ? 'ours' : 'quiet' }, name),
    element('rect', { class: ours ? 'ok' : 'dead', x: NAMES, y, width, height: BAR, rx: 2 }),
    text({ x: NAMES + width + 8, y: y + 13 }, String(us)),
  ];
}
