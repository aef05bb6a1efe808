import {
  type AnswerFamily,
  type Asked,
  type ExpectedAnswer,
  FAILED,
  type HostileAnswer,
  INVALID,
  OK,
  PASSED,
} from './answer.ts';

/** Answers with these header lines. */
function answers(
  to: Asked,
  expected: ExpectedAnswer,
  id: string,
  named: Readonly<Record<string, readonly string[]>>,
): HostileAnswer[] {
  return Object.entries(named).map(([name, lines]) => ({
    ...{ name, id, to, expected },
    bytes: `${OK}${lines.map((line) => `${line}\r\n`).join('')}\r\n{}`,
  }));
}

const status = (line: string): string =>
  `HTTP/1.1 ${line}\r\nMcp-Session-Id: new-${line.slice(0, 3)}\r\nContent-Length: 2\r\n\r\n{}`;

const opening: readonly HostileAnswer[] = [
  ...answers('opening', INVALID, 'B4', {
    'an empty id': ['Mcp-Session-Id:'],
    'an id of 1025 characters': [`Mcp-Session-Id: ${'x'.repeat(1025)}`],
    'an id of 10 000 characters': [`Mcp-Session-Id: ${'x'.repeat(10_000)}`],
    'an id with a space': ['Mcp-Session-Id: a b'],
    'an id with a tab': ['Mcp-Session-Id: a\tb'],
    'an id with a byte beyond ASCII': ['Mcp-Session-Id: a\xe9'],
    'an id in UTF-8': ['Mcp-Session-Id: \xc3\xbc'],
    'two ids in two lines': ['Mcp-Session-Id: one', 'Mcp-Session-Id: two'],
    'the same id in two lines': ['Mcp-Session-Id: one', 'mcp-session-id: one'],
    'two ids in one line': ['Mcp-Session-Id: one, two'],
  }),
  ...answers('opening', FAILED, 'B4', {
    'an id with a control character': ['Mcp-Session-Id: a\x01b'],
    'an id with a NUL': ['Mcp-Session-Id: a\0b'],
    'an id with DEL': ['Mcp-Session-Id: a\x7f'],
    'an id before a bare carriage return': ['Mcp-Session-Id: a\rX-One: b'],
  }),
  ...answers('opening', INVALID, 'B5', {
    'the id of a session at A': ['Mcp-Session-Id: {live}', 'X-Not-At: A'],
    'the id of a session that has ended': ['Mcp-Session-Id: {ended}'],
  }),
  ...['400 Bad Request', '401 Unauthorized', '404 Not Found', '429 Too Many Requests'].map(
    (line) => ({
      name: `an id on ${line}`,
      id: 'B4',
      to: 'opening' as const,
      bytes: status(line),
      expected: { status: Number(line.slice(0, 3)), body: '{}' },
    }),
  ),
  ...['302 Found', '500 Internal Server Error', '503 Service Unavailable'].map((line) => ({
    name: `an id on ${line}`,
    id: 'B4',
    to: 'opening' as const,
    bytes: status(line),
    expected: { status: Number(line.slice(0, 3)), body: '{}' },
  })),
  ...Object.entries({
    'an id of 1024 characters': 'x'.repeat(1024),
    'an id with a comma': 'one,two',
    'the name of a prototype as an id': '__proto__',
    'a path as an id': '../../admin',
    'a URL as an id': 'http://{stranger}/',
    'a key of Redis as an id': 'mcp:session:*',
  }).map(([name, id]) => ({
    name,
    id: 'B1',
    to: 'opening' as const,
    bytes: `${OK}Mcp-Session-Id: ${id}\r\n\r\n{}`,
    expected: { ...PASSED, sees: { 'mcp-session-id': id } },
  })),
  {
    name: 'an id that Connection names',
    id: 'B1',
    to: 'opening',
    bytes: `${OK}Connection: Mcp-Session-Id\r\nMcp-Session-Id: nominated\r\n\r\n{}`,
    expected: { ...PASSED, sees: { 'mcp-session-id': 'nominated' } },
  },
  {
    name: 'an id in a trailer',
    id: 'B3',
    to: 'opening',
    bytes:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Mcp-Session-Id\r\n\r\n' +
      '2\r\n{}\r\n0\r\nMcp-Session-Id: trailing\r\n\r\n',
    expected: PASSED,
  },
  {
    name: 'an id on an early hint',
    id: 'B3',
    to: 'opening',
    bytes: `HTTP/1.1 103 Early Hints\r\nMcp-Session-Id: hinted\r\n\r\n${OK}\r\n{}`,
    expected: PASSED,
  },
];

const later: readonly HostileAnswer[] = [
  ...answers('call', PASSED, 'B6', {
    "another session's id": ['Mcp-Session-Id: {live}'],
    'an id that was never issued': ['Mcp-Session-Id: invented'],
    'an id that has ended': ['Mcp-Session-Id: {ended}'],
    'an empty id': ['Mcp-Session-Id:'],
    'an id that is none': ['Mcp-Session-Id: a b'],
    "its own id and another session's": ['Mcp-Session-Id: {mine}', 'Mcp-Session-Id: {live}'],
    'its own id twice': ['Mcp-Session-Id: {mine}', 'Mcp-Session-Id: {mine}'],
    'an id in capitals': ['MCP-SESSION-ID: {live}'],
    'an id that Connection names': ['Connection: mcp-session-id', 'Mcp-Session-Id: {live}'],
  }),
  ...answers('call', { ...PASSED, sees: { 'mcp-session-id': '{mine}' } }, 'B6', {
    'its own id': ['Mcp-Session-Id: {mine}'],
  }),
  ...answers('free', { ...PASSED, sees: { 'mcp-session-id': 'stateless' } }, 'B1', {
    'an id on a request without a session': ['Mcp-Session-Id: stateless'],
  }),
  ...answers('delete', { ...PASSED, ends: true }, 'C1', {
    "another session's id, and its own is deleted": ['Mcp-Session-Id: {live}'],
  }),
  ...['400 Bad Request', '500 Internal Server Error', '302 Found', '202 Accepted'].map((line) => ({
    name: `another session's id on ${line}`,
    id: 'B6',
    bytes: `HTTP/1.1 ${line}\r\nMcp-Session-Id: {live}\r\nContent-Length: 2\r\n\r\n{}`,
    expected: { status: Number(line.slice(0, 3)), body: '{}' },
  })),
  {
    name: "another session's id on an event stream",
    id: 'B6',
    to: 'listen',
    bytes:
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nMcp-Session-Id: {live}\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n',
    expected: { status: 200, body: 'data: 1\n\n' },
  },
];

export const idFamilies: readonly AnswerFamily[] = [
  { title: 'ids of new sessions', answers: opening },
  { title: 'ids on later answers', answers: later },
];
