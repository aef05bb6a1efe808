import type { FrontResult } from './result.ts';

interface Column {
  readonly head: string;
  readonly cell: (front: FrontResult) => string | number;
}

const seconds = (ms: number | null): string =>
  ms === null ? 'not in the run' : (ms / 1000).toFixed(2);

const columns: readonly Column[] = [
  { head: 'front', cell: ({ title }) => title },
  { head: '2xx', cell: ({ summary }) => summary.whileDead.ok },
  { head: '404', cell: ({ summary }) => summary.whileDead.again },
  { head: 'other 4xx', cell: ({ summary }) => summary.whileDead.refused },
  { head: '5xx', cell: ({ summary }) => summary.whileDead.error },
  { head: 'broken', cell: ({ summary }) => summary.whileDead.broken },
  {
    head: 'clients of the dead backend work again after, median (s)',
    cell: ({ summary }) => seconds(summary.medianBack),
  },
  { head: 'the last of them (s)', cell: ({ summary }) => seconds(summary.slowestBack) },
  { head: 'failures of other clients', cell: ({ summary }) => summary.failuresOfOthers },
  { head: 'their longest wait (s)', cell: ({ summary }) => seconds(summary.slowestOfOthers) },
  { head: 'requests at another backend than their own', cell: ({ summary }) => summary.astray },
  { head: 'executed twice', cell: ({ summary }) => summary.executedTwice },
  { head: 'CPU per answer (us)', cell: ({ summary }) => summary.cpuPerAnswer ?? '?' },
];

export function tableOf(fronts: readonly FrontResult[]): string {
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(columns.map(({ head }) => head)),
    `|${'---|'.repeat(columns.length)}`,
    ...fronts.map((front) => row(columns.map(({ cell }) => cell(front)))),
  ].join('\n');
}
