import {
  type AnswerFamily,
  CHUNKED,
  ending,
  FAILED,
  type HostileAnswer,
  OK,
  PASSED,
  POISON,
  rows,
} from './answer.ts';

/** Bytes that nobody has asked for: whoever comes next on the connection must not get them. */
const extra: readonly HostileAnswer[] = [
  ...rows(PASSED, {
    'a second answer': `${OK}\r\n{}${POISON}`,
    'a second answer behind chunks': `${CHUNKED}2\r\n{}\r\n0\r\n\r\n${POISON}`,
    'ten answers': `${OK}\r\n{}${POISON.repeat(10)}`,
    garbage: `${OK}\r\n{}garbage`,
    'a line break': `${OK}\r\n{}\r\n`,
    'half an answer': `${OK}\r\n{}HTTP/1.1 200 OK\r\nContent-Le`,
    'more than the length': `${OK}\r\n{}{}`,
    'an early hint behind': `${OK}\r\n{}HTTP/1.1 103 Early Hints\r\n\r\n`,
  }),
  ...Object.entries({
    'a second answer, later': POISON,
    'garbage, later': 'garbage',
    'half an answer, later': 'HTTP/1.1 200 OK\r\nContent-Le',
    'a status line, later': 'HTTP/1.1 200 OK\r\n',
  }).map(([name, late]) => ({ name, bytes: `${OK}\r\n{}`, late, expected: PASSED })),
  ...[204, 304].map((status) => ({
    name: `a body of ${status}, which has none`,
    bytes: `HTTP/1.1 ${status} Empty\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
    expected: { status, body: '' },
  })),
  {
    name: 'a body of HEAD, which has none',
    to: 'head',
    bytes: `HTTP/1.1 200 OK\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
    expected: { status: 200, body: '' },
  },
  {
    name: 'a chunked body of 204',
    bytes: `HTTP/1.1 204 Empty\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n${POISON}`,
    expected: { status: 204, body: '' },
  },
];

const HINT = 'HTTP/1.1 103 Early Hints\r\nX-One: 1\r\n\r\n';

const interim: readonly HostileAnswer[] = [
  ...rows(PASSED, {
    '102 that nobody asked for': `HTTP/1.1 102 Processing\r\n\r\n${OK}\r\n{}`,
    '103 without a link': `${HINT}${OK}\r\n{}`,
    '199, which nobody knows': `HTTP/1.1 199 Odd\r\n\r\n${OK}\r\n{}`,
    '1000 of 103': `${HINT.repeat(1000)}${OK}\r\n{}`,
  }),
  {
    name: '100 that nobody asked for',
    bytes: `HTTP/1.1 100 Continue\r\n\r\n${OK}\r\n{}`,
    expected: PASSED,
    on: { forward: { ...FAILED, body: undefined } },
  },
  ...rows(FAILED, {
    '101 that nobody asked for': `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${POISON}`,
    '101 without Upgrade': `HTTP/1.1 101 Switching Protocols\r\n\r\n${POISON}`,
  }),
  ...ending(FAILED, {
    '103, and nothing more': HINT,
    '102, and nothing more': 'HTTP/1.1 102 Processing\r\n\r\n',
  }),
];

const REDIRECTS = [301, 302, 303, 307, 308] as const;
const PLACES = ['http://{stranger}/mcp', 'http://169.254.169.254/latest/meta-data/'] as const;

const redirects: readonly HostileAnswer[] = [
  ...REDIRECTS.flatMap((status) =>
    PLACES.map((place) => ({
      name: `${status} to ${place}`,
      bytes: `HTTP/1.1 ${status} Moved\r\nLocation: ${place}\r\nContent-Length: 0\r\n\r\n`,
      expected: { status, sees: { location: place }, body: '' },
    })),
  ),
  {
    name: '307 of initialize to a stranger',
    to: 'opening',
    bytes:
      'HTTP/1.1 307 Moved\r\nLocation: //{stranger}/mcp\r\nMcp-Session-Id: moved\r\nContent-Length: 0\r\n\r\n',
    expected: { status: 307, sees: { location: '//{stranger}/mcp' }, body: '' },
  },
  {
    name: 'Refresh, Content-Location and Alt-Svc that name a stranger',
    bytes: `${OK}Refresh: 0;url=http://{stranger}/\r\nContent-Location: http://{stranger}/\r\nAlt-Svc: h2="{stranger}"\r\n\r\n{}`,
    expected: { ...PASSED, sees: { 'content-location': 'http://{stranger}/' } },
  },
  {
    name: 'X-Accel-Redirect and the like',
    bytes: `${OK}X-Accel-Redirect: http://{stranger}/\r\nX-Backend-Url: http://{stranger}\r\nX-MCP-Route: B\r\n\r\n{}`,
    expected: { ...PASSED, sees: { 'x-mcp-route': 'B' } },
  },
];

const CODED = '\r\n\r\n2\r\n{}\r\n0\r\n\r\n';

const hopByHop: readonly HostileAnswer[] = [
  ...rows(PASSED, {
    'a coding in capitals': `HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED${CODED}`,
    'a coding of the past, and then chunks': `HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, chunked${CODED}`,
    'gzip, and then chunks': `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked${CODED}`,
    'chunks, named behind nothing': `HTTP/1.1 200 OK\r\nTransfer-Encoding: , chunked${CODED}`,
  }),
  ...ending(PASSED, {
    'a coding that is none, up to the end':
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n{}',
    'chunks, and another coding':
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n{}',
  }),
  {
    name: 'headers of one hop',
    bytes: `${OK}Keep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nTrailer: X-One\r\nTE: x\r\n\r\n{}`,
    expected: { ...PASSED, hidden: ['proxy-authenticate', 'upgrade', 'trailer', 'te'] },
  },
  {
    name: 'headers that Connection names',
    bytes: `${OK}Connection: X-One, x-two\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\n\r\n{}`,
    expected: { ...PASSED, sees: { 'x-three': '3' }, hidden: ['x-one', 'x-two'] },
  },
  {
    name: 'a length that Connection names',
    bytes: `${OK}Connection: Content-Length\r\n\r\n{}`,
    expected: PASSED,
  },
  {
    name: 'a coding that Connection names',
    bytes: `${CHUNKED.replace('\r\n\r\n', '\r\nConnection: Transfer-Encoding\r\n\r\n')}2\r\n{}\r\n0\r\n\r\n`,
    expected: PASSED,
  },
  {
    name: 'the end of the connection, which stays open',
    bytes: `${OK}Connection: close\r\n\r\n{}`,
    late: POISON,
    expected: PASSED,
  },
];

export const misleadingFamilies: readonly AnswerFamily[] = [
  { title: 'answers with more behind', id: 'F4', answers: extra },
  { title: 'interim answers', id: 'G2', answers: interim },
  { title: 'redirects', id: 'D11', answers: redirects },
  { title: 'headers of one hop in answers', id: 'F4', answers: hopByHop },
];
