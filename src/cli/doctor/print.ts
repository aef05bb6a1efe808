import type { Paint } from '../terminal.ts';
import type { Line, State } from './line.ts';
import type { Report } from './report.ts';
import type { DoctorSettings } from './settings.ts';

const WORDS: Readonly<Record<State, string>> = {
  ok: 'OK',
  note: 'NOTE',
  problem: 'PROBLEM',
  info: '',
};

/** Where what is said begins, and how wide it is (characters). */
const INDENT = 21;
const TEXT_WIDTH = 79;

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

function linesOf({ state, about, says, remedy, command }: Line, paint: Paint): string[] {
  const word = colourOf(state, paint)(WORDS[state].padEnd(7));
  const first = `${word}  ${about.padEnd(INDENT - 10)} ${says}`;
  const more = remedy === undefined ? [] : wrapped(remedy, TEXT_WIDTH);
  if (command !== undefined) more.push(command);
  return [first, ...more.map((text) => paint.dim(' '.repeat(INDENT) + text))];
}

/** In lines of so many characters, if no word is longer. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
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
