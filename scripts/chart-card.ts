import { STYLE } from './chart-style.ts';
import { element, escaped, type Attributes } from './svg.ts';

export interface Card {
  readonly width: number;
  readonly height: number;
  /** Where the title begins. */
  readonly left: number;
  readonly title: string;
  readonly subtitle: string;
  /** What the chart says, for those who do not see it. */
  readonly said: string;
  /** Style of its own. */
  readonly style?: string;
}

/** A chart: a card with a title, and what is drawn on it. */
export function chartOn(card: Card, content: readonly string[]): string {
  const { width, height, left, title, subtitle, said, style = '' } = card;
  const root = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'aria-labelledby': 'title desc',
  };
  const frame = { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 6 };
  return element('svg', root, [
    element('title', { id: 'title' }, escaped(title)),
    element('desc', { id: 'desc' }, escaped(said)),
    element('style', {}, `${STYLE}${style}`),
    element('rect', { class: 'card', ...frame }),
    text({ x: left, y: 30, class: 'title' }, title),
    text({ x: left, y: 50, class: 'quiet' }, subtitle),
    ...content,
  ]);
}

export function text(attributes: Attributes, content: string): string {
  return element('text', attributes, escaped(content));
}

export function line(name: string, x1: number, y: number, x2: number): string {
  return element('line', { class: name, x1, x2, y1: y, y2: y });
}
