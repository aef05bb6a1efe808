import { givensOf, valueOf, type Flags, type Given, type Givens, type Setting } from '../given.ts';
import { secondsIn, wholeNumberIn } from '../read-value.ts';
import { UsageError } from '../usage-error.ts';

const SIZE = 'How much is asked:';
const MANNER = 'How it is asked:';
const RESULT = 'What is told:';

type SettingName =
  | ('sessions' | 'calls' | 'concurrency')
  | ('header' | 'timeout' | 'insecure' | 'direct' | 'json');

/** What can be said of an examination; docs/cli.md has the same table. */
export const DOCTOR_SETTINGS: Readonly<Record<SettingName, Setting>> = {
  sessions: {
    flags: '-s, --sessions <number>',
    group: SIZE,
    text: 'sessions that are opened (default 30)',
  },
  calls: {
    flags: '-c, --calls <number>',
    group: SIZE,
    text: 'calls of each session (default 10)',
  },
  concurrency: {
    flags: '--concurrency <number>',
    group: SIZE,
    text: 'requests that are under way at the same time, at most (default 10)',
  },
  header: {
    flags: '-H, --header <header>',
    variable: 'MCP_DOCTOR_HEADERS',
    group: MANNER,
    text: '"Name: value", once for each; in the variable one on each line',
    separator: '\n',
  },
  timeout: {
    flags: '--timeout <seconds>',
    group: MANNER,
    text: 'how long an answer may take (default 10)',
  },
  insecure: {
    flags: '--insecure',
    group: MANNER,
    text: 'take a certificate that nobody has signed',
  },
  direct: {
    flags: '--direct <url>',
    group: RESULT,
    text: "the endpoint of one server itself: tells what the way to it adds to an answer's time",
  },
  json: {
    flags: '--json',
    group: RESULT,
    text: 'print the report as JSON',
  },
};

export interface DoctorSettings {
  readonly url: URL;
  readonly direct?: URL;
  readonly sessions: number;
  readonly calls: number;
  readonly concurrency: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Milliseconds. */
  readonly timeout: number;
  readonly insecure: boolean;
  readonly json: boolean;
}

/** What is sent by the doctor itself, or frames a request. */
const OWN_HEADERS = new Set([
  ...['accept', 'content-type', 'content-length', 'transfer-encoding', 'connection'],
  ...['trailer', 'upgrade', 'expect'],
  ...['mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'last-event-id'],
]);

/** @throws {UsageError} */
export function readSettings(url: string, flags: Flags, env: NodeJS.ProcessEnv): DoctorSettings {
  const givens = givensOf<SettingName>(DOCTOR_SETTINGS, flags, env);
  const { direct } = givens;
  return {
    url: endpointIn(url, 'the URL'),
    ...(direct && { direct: endpointIn(direct.values[0] ?? '', direct.name) }),
    sessions: number(givens, 'sessions', 10_000) ?? 30,
    calls: number(givens, 'calls', 10_000) ?? 10,
    concurrency: number(givens, 'concurrency', 1000) ?? 10,
    headers: headersOf(givens.header),
    timeout:
      valueOf(
        givens.timeout,
        (text) => secondsIn(text, 0.1, 600),
        'is not a time that can be: give seconds, 0.1 to 600',
      ) ?? 10_000,
    insecure: givens.insecure !== undefined,
    json: givens.json !== undefined,
  };
}

/** The value is not repeated where it may hold a secret. */
function endpointIn(value: string, name: string): URL {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new UsageError(
      `${name} is not an http(s) URL: give one such as http://localhost:3000/mcp`,
    );
  }
  const url = new URL(value);
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      `${name} carries a user name or password: give --header "Authorization: Basic ..." instead`,
    );
  }
  url.hash = '';
  return url;
}

function number(
  givens: Givens<SettingName>,
  key: 'sessions' | 'calls' | 'concurrency',
  most: number,
): number | undefined {
  return valueOf(
    givens[key],
    (text) => wholeNumberIn(text, 1, most),
    `is not a number that can be: give 1 to ${most}`,
  );
}

/** Values are not repeated: they may be secrets. */
function headersOf(given: Given | undefined): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const line of given?.values ?? []) {
    // field-line = field-name ":" OWS field-value OWS ; RFC 9112, 5
    const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === '') throw new UsageError(`${given?.name}: no header: give "Name: value"`);
    if (OWN_HEADERS.has(name.toLowerCase())) {
      throw new UsageError(`${given?.name}: ${name} is sent by the doctor itself: leave it out`);
    }
    if (!/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) {
      throw new UsageError(`${given?.name}: ${name} has a value that no header can have`);
    }
    const before = Object.keys(headers).find((each) => each.toLowerCase() === name.toLowerCase());
    if (before === undefined) headers[name] = value;
    else headers[before] = [headers[before] ?? [], value].flat();
  }
  return headers;
}
