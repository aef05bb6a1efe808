import type { FrontResult, Result } from '../bench/backend-death/result.ts';
import { keyFigures, sentenceOf } from './backend-death-words.ts';
import { chartOn, line, text } from './chart-card.ts';
import { LEGEND } from './chart-style.ts';
import { element } from './svg.ts';

const WIDTH = 830;
const LEFT = 62;
const RIGHT = 18;
const PLOT = { width: WIDTH - LEFT - RIGHT, height: 124 };
const FIRST = 128;
const PITCH = PLOT.height + 44;
const TICK = 2_000;
const GRID = 200;

export function chartOf(result: Result): string {
  const fronts = result.fronts.filter(({ drawn }) => drawn);
  const bottom = FIRST + (fronts.length - 1) * PITCH + PLOT.height;
  const height = bottom + 52;
  const scale = scaleOf(result, fronts);
  const title = 'Answers per second around the death of one of three backends';
  const subtitle =
    `${result.sessions} sessions on each front, ${result.callsPerSecond} calls per second each; all fronts in the same run; ` +
    `backends answer ${result.unknownStatus} to unknown sessions`;
  const card = {
    ...{ width: WIDTH, height, left: LEFT, title, subtitle },
    said: fronts.map(sentenceOf).join(' '),
  };
  return chartOn(card, [
    ...legend(fronts, result.sessions * result.callsPerSecond),
    ...fronts.flatMap((front, at) => panel(front, result, scale, FIRST + at * PITCH)),
    ...timeAxis(result, scale, bottom),
  ]);
}

interface Scale {
  readonly top: number;
  x(ms: number): number;
  /** Pixels of so many answers per second. */
  height(rate: number): number;
}

function scaleOf({ from, to, bucket }: Result, fronts: readonly FrontResult[]): Scale {
  const totals = fronts.flatMap(({ answers }) =>
    countsOf(answers.ok).map((_, at) =>
      LEGEND.reduce((sum, { kind }) => sum + (countsOf(answers[kind])[at] ?? 0), 0),
    ),
  );
  const top = Math.ceil((Math.max(...totals) * 1000) / bucket / GRID) * GRID;
  return {
    top,
    x: (ms) => LEFT + ((ms - from) / (to - from)) * PLOT.width,
    height: (rate) => (rate / top) * PLOT.height,
  };
}

function panel(front: FrontResult, result: Result, scale: Scale, y: number): string[] {
  const base = y + PLOT.height;
  const [dead, back] = [scale.x(0), scale.x(result.restarted)];
  const rates = Array.from({ length: scale.top / GRID + 1 }, (_, at) => at * GRID);
  const offered = base - scale.height(result.sessions * result.callsPerSecond);
  return [
    text({ x: LEFT, y: y - 10, class: 'front' }, front.title),
    text({ x: WIDTH - RIGHT, y: y - 10, class: 'quiet', 'text-anchor': 'end' }, keyFigures(front)),
    element('rect', { class: 'dead', x: dead, y, width: back - dead, height: PLOT.height }),
    ...rates.flatMap((rate) => [
      line('grid', LEFT, base - scale.height(rate), WIDTH - RIGHT),
      text(
        { x: LEFT - 8, y: base - scale.height(rate) + 4, class: 'quiet', 'text-anchor': 'end' },
        String(rate),
      ),
    ]),
    ...areas(front, result, scale, base),
    line('offered', LEFT, offered, WIDTH - RIGHT),
    ...[dead, back].map((x) =>
      element('line', { class: 'event', x1: x, x2: x, y1: y - 4, y2: base }),
    ),
    line('axis', LEFT, base, WIDTH - RIGHT),
    text(
      {
        class: 'quiet',
        transform: `translate(16 ${y + PLOT.height / 2}) rotate(-90)`,
        'text-anchor': 'middle',
      },
      'answers per second',
    ),
  ];
}

function areas({ answers }: FrontResult, result: Result, scale: Scale, base: number): string[] {
  const x = (place: number): string => scale.x(result.from + place * result.bucket).toFixed(1);
  let under = countsOf(answers.ok).map(() => 0);
  return LEGEND.map(({ kind }) => {
    const counts = countsOf(answers[kind]);
    const over = under.map((count, at) => count + (counts[at] ?? 0));
    const y = (count: number): string =>
      (base - scale.height((count * 1000) / result.bucket)).toFixed(1);
    const shapes = counts.map((count, at) =>
      count === 0
        ? ''
        : `M${x(at)} ${y(under[at] ?? 0)}V${y(over[at] ?? 0)}H${x(at + 1)}V${y(under[at] ?? 0)}z`,
    );
    under = over;
    return element('path', { class: kind, d: shapes.join(''), 'shape-rendering': 'crispEdges' });
  });
}

function legend(fronts: readonly FrontResult[], offered: number): string[] {
  const shown = LEGEND.filter(({ kind }) =>
    fronts.some(({ answers }) => countsOf(answers[kind]).some((count) => count > 0)),
  );
  let x = LEFT;
  const parts = shown.flatMap(({ kind, label }) => {
    const at = x;
    x += 42 + label.length * 6.6;
    return [
      element('rect', { class: kind, x: at, y: 66, width: 12, height: 12, rx: 2 }),
      text({ x: at + 18, y: 76 }, label),
    ];
  });
  return [
    ...parts,
    line('offered', x, 72, x + 22),
    text({ x: x + 28, y: 76 }, `calls offered, ${offered} per second`),
  ];
}

function timeAxis({ from, to, restarted }: Result, scale: Scale, bottom: number): string[] {
  const first = Math.ceil(from / TICK) * TICK;
  const ticks = Array.from({ length: (to - first) / TICK + 1 }, (_, at) => first + at * TICK);
  const label = { y: FIRST - 26, class: 'quiet', 'text-anchor': 'middle' };
  return [
    ...ticks.map((ms) =>
      text(
        { x: scale.x(ms), y: bottom + 18, class: 'quiet', 'text-anchor': 'middle' },
        String(ms / 1000).replace('-', '−'),
      ),
    ),
    text({ x: scale.x(0), ...label }, 'kill -9'),
    text({ x: scale.x(restarted), ...label }, 'back, empty'),
    text(
      {
        x: LEFT + PLOT.width / 2,
        y: bottom + 38,
        class: 'quiet',
        'text-anchor': 'middle',
      },
      'seconds since the death',
    ),
  ];
}

const countsOf = (row: string): number[] => row.split(' ').map(Number);
