/** One measured number, held against what it is to be. */
export interface Figure {
  /** P1 to P9. */
  readonly id: string;
  readonly what: string;
  readonly value: number;
  /** `x`, `us`, `ms`, `KB`, `MB`; empty: a plain number. */
  readonly unit: string;
  /** What it is to be at least, or at most; left out: it is only told. */
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Section {
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
}

export interface Results {
  readonly date: string;
  readonly node: string;
  readonly machine: string;
  readonly sections: readonly Section[];
}

export function isReached({ value, atLeast, atMost }: Figure): boolean {
  return value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
}

/** All of it as Markdown. */
export function textOf({ date, node, machine, sections }: Results): string {
  const figures = sections.flatMap((section) => section.figures);
  const tables = sections.flatMap((section) => section.tables);
  const summary: Table = {
    title: 'Figures',
    head: ['', 'figure', 'measured', 'target', ''],
    rows: figures.map((figure) => [
      figure.id,
      figure.what,
      shown(figure.value, figure.unit),
      targetOf(figure),
      targetOf(figure) === '' ? '' : isReached(figure) ? 'reached' : 'missed',
    ]),
  };
  return [
    `# ${date}, Node ${node}`,
    `${machine}. All on loopback. How it is measured: [bench/README.md](../README.md)`,
    ...[summary, ...tables].map(markdownOf),
  ].join('\n\n');
}

export function shown(value: number, unit: string): string {
  const digits = unit === 'x' ? 3 : Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${Number(value.toFixed(digits))}${unit === '' ? '' : ` ${unit}`}`;
}

function targetOf({ atLeast, atMost, unit }: Figure): string {
  if (atLeast !== undefined) return `at least ${shown(atLeast, unit)}`;
  return atMost === undefined ? '' : `at most ${shown(atMost, unit)}`;
}

function markdownOf({ title, head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = line(head.map(() => '---'));
  return [`## ${title}`, '', line(head), rule, ...rows.map(line)].join('\n');
}
