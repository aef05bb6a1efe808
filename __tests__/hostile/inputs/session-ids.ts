import {
  ENDED,
  type Expected,
  type Family,
  type Input,
  INVALID_ID,
  NO_HTTP,
  pinned,
  UNKNOWN,
} from './input.ts';

const VERSION = 'MCP-Protocol-Version: 2025-11-25';

/** What is said of each of these values, with `Mcp-Session-Id: ` before it. */
function values(expected: Expected, id: string, named: Readonly<Record<string, string>>): Input[] {
  return Object.entries(named).map(([name, value]) => ({
    name,
    id,
    head: [`Mcp-Session-Id: ${value}`, VERSION],
    expected,
  }));
}

const syntax: readonly Input[] = [
  ...values(INVALID_ID, 'A4', {
    empty: '',
    'nothing but spaces': '   ',
    'nothing but a tab': '\t',
    '1025 characters': 'x'.repeat(1025),
    '12 000 characters': 'x'.repeat(12_000),
    'a space inside': 'a b',
    'a tab inside': 'a\tb',
    'a space inside the live one': '{live} x',
    'a byte beyond ASCII': 'a\xe9',
    'two bytes of UTF-8': '\xc3\xbc',
    'UTF-8 that some fold to ASCII': '{live}\xef\xbc\x81',
    'a byte of the control characters above ASCII': 'a\x80b',
    'two in one line, with a space': '{live}, {live}',
    'two others in one line': 'a, b',
    'the live one after an empty one': ', {live}',
    'a list with the live one first': '{live}, other',
  }),
  ...values(UNKNOWN, 'A2', {
    '1024 characters': 'x'.repeat(1024),
    'two joined by a comma alone': '{live},{live}',
    'quoted, the live one': '"{live}"',
    'between angle brackets, the live one': '<{live}>',
    'percent-encoded, the live one': '%41{live}',
    'with an encoded line break': '{live}%0d%0aX-Injected:1',
    'with a line break in letters': '{live}\\r\\nX-Injected:1',
    'with an encoded NUL': '{live}%00',
    'the live one, and a letter more': '{live}x',
    'the live one behind a letter': 'x{live}',
    'a parameter behind the live one': '{live};path=/',
    'the beginning of the live one': 'A-',
    'the live one in capitals': '{LIVE}',
    'the name of a prototype': '__proto__',
    'the name of a constructor': 'constructor',
    'the name of a method of objects': 'hasOwnProperty',
    'the name of toString': 'toString',
    'a path': '../../etc/passwd',
    'a URL of a backend': 'http://{A}',
    'the host of a backend': '{A}',
    'a key of Redis': 'mcp:session:{live}',
    'a pattern of Redis': '*',
    'a hash tag of Redis': '{x}{live}',
    'a command of Redis': 'x"|FLUSHALL|"',
    'a template': '${7*7}',
    'a query of a database': "'--OR'1'='1",
    'JSON of a record': '{"backend_url":"http://{stranger}"}',
    'the word null': 'null',
    'the word undefined': 'undefined',
    'a number': '0',
  }),
  ...values(ENDED, 'A3', {
    'the ended one': '{ended}',
    'the ended one, spaces around it': '  {ended}  ',
  }),
  ...values(pinned(), 'A1', {
    'the live one, spaces around it': '   {live}   ',
    'the live one, tabs around it': '\t{live}\t',
  }),
  ...values(NO_HTTP, 'A4', {
    'a NUL': '{live}\0',
    'a control character': 'a\x01b',
    DEL: '{live}\x7f',
    'an escape sequence': 'a\x1b[2Jb',
    'a bare line feed, and a header of its own': '{live}\nX-Injected: 1\r',
    'a bare carriage return': '{live}\rX-Injected: 1',
  }),
];

const CASES: readonly Input[] = [
  {
    name: 'the name in capitals',
    id: 'A1',
    head: ['MCP-SESSION-ID: {live}', VERSION],
    expected: pinned(),
  },
  {
    name: 'the name in small letters',
    id: 'A1',
    head: ['mcp-session-id:{live}', VERSION],
    expected: pinned(),
  },
];

export const sessionIdFamilies: readonly Family[] = [
  { title: 'session ids', inputs: [...syntax, ...CASES] },
];
