import type { Paint } from '../terminal.ts';
import type { Line, Report, State } from './report.ts';
import type { DoctorSettings } from './settings.ts';

const WORDS: Readonly<Record<State, string>> = {
  ok: 'OK',
  note: 'NOTE',
  problem: 'PROBLEM',
  info: '',
};

/** The lines of a report, for people. */
export function printed(report: Report, settings: DoctorSettings, paint: Paint): string[] {
  const { sessions, calls, concurrency } = settings;
  const problems = report.lines.filter(({ state }) => state === 'problem').length;
  return [
    paint.bold(placeOf(settings.url)),
    `${sessions} sessions with ${calls} calls each, ${concurrency} requests at a time, a connection for each`,
    '',
    ...report.lines.flatMap((line) => linesOf(line, paint)),
    '',
    paint.bold(verdictOf(report, problems)),
  ];
}

/** Without the query, which may hold a key. */
export function placeOf(url: URL): string {
  return url.origin + url.pathname;
}

function verdictOf({ verdict }: Report, problems: number): string {
  if (verdict === 'problem')
    return 'PROBLEM: not all is known to have reached its session, see above.';
  const beside = problems === 0 ? '' : ` Beside that: ${problems} to look at, above.`;
  return `OK: every call has reached where it belongs.${beside}`;
}

function linesOf({ state, about, says, remedy }: Line, paint: Paint): string[] {
  const word = colourOf(state, paint)(WORDS[state].padEnd(7));
  const first = `${word}  ${about.padEnd(11)} ${says}`;
  return remedy === undefined ? [first] : [first, paint.dim(`${' '.repeat(21)}${remedy}`)];
}

function colourOf(state: State, paint: Paint): (text: string) => string {
  switch (state) {
    case 'ok':
      return paint.green;
    case 'note':
      return paint.yellow;
    case 'problem':
      return paint.red;
    case 'info':
      return paint.dim;
  }
}
