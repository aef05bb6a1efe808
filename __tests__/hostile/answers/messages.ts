import {
  type AnswerFamily,
  BROKEN,
  type ExpectedAnswer,
  FAILED,
  type HostileAnswer,
  OK,
  PASSED,
  POISON,
} from './answer.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Answers after which the backend ends the connection. */
function ending(
  expected: ExpectedAnswer,
  named: Readonly<Record<string, string>>,
): HostileAnswer[] {
  return rows(expected, named).map((row) => ({ ...row, then: 'ends' }));
}

function rows(expected: ExpectedAnswer, named: Readonly<Record<string, string>>): HostileAnswer[] {
  return Object.entries(named).map(([name, bytes]) => ({ name, bytes, expected }));
}

const cut: readonly HostileAnswer[] = [
  ...ending(
    { ...FAILED },
    {
      'in front of the first byte': '',
      'in the status line': 'HTTP/1.1 20',
      'behind the status line': 'HTTP/1.1 200 OK\r\n',
      'in a header': `${OK}Mcp-Sess`,
      'in front of the body': OK,
    },
  ),
  ...ending(BROKEN, {
    'behind the head': `${OK}\r\n`,
    'in the body': `${OK}\r\n{`,
    'in an event stream': `${CHUNKED.replace('\r\n\r\n', '\r\nContent-Type: text/event-stream\r\n\r\n')}9\r\ndata: 1\n\n\r\n`,
    'in a chunk': `${CHUNKED}5\r\n{`,
    'in the size of a chunk': `${CHUNKED}2\r\n{}\r\n1`,
    'in front of the last chunk': `${CHUNKED}2\r\n{}\r\n`,
    'behind the last chunk': `${CHUNKED}2\r\n{}\r\n0\r\n`,
    'in a trailer': `${CHUNKED}2\r\n{}\r\n0\r\nX-Trai`,
    'long before its length': 'HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n{}',
  }),
  ...ending(PASSED, {
    'where it has no length: that is its end': 'HTTP/1.1 200 OK\r\n\r\n{}',
    'where HTTP/1.0 has no length: that is its end': 'HTTP/1.0 200 OK\r\n\r\n{}',
  }),
  {
    name: 'by a reset, in the body',
    bytes: `${OK}\r\n{`,
    then: 'resets',
    expected: BROKEN,
  },
];

const framing: readonly HostileAnswer[] = [
  ...rows(FAILED, {
    'a length and chunks': `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n${POISON}`,
    'chunks and a length': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n${POISON}`,
    'two lengths that differ': `${OK}Content-Length: 5\r\n\r\n{}${POISON}`,
    'two lengths that are the same': `${OK}Content-Length: 2\r\n\r\n{}`,
    'a negative length': `HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n${POISON}`,
    'a length in hexadecimal': `HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\n{}`,
    'a length beyond all numbers':
      'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}',
    'a NUL in a header': `${OK}X-One: a\0b\r\n\r\n{}`,
    'a control character in a header': `${OK}X-One: a\x01b\r\n\r\n{}`,
    'a bare carriage return in a header': `${OK}X-One: a\rSet-Cookie: b\r\n\r\n{}`,
    'a space in a name': `${OK}X One: a\r\n\r\n{}`,
    'no name': `${OK}: a\r\n\r\n{}`,
    'no colon': `${OK}X-One\r\n\r\n{}`,
    'a header of 100 KiB': `${OK}X-One: ${'x'.repeat(100_000)}\r\n\r\n{}`,
    'headers of 1 MiB': `${OK}${'X-One: 123456789012345678901234567890\r\n'.repeat(26_000)}\r\n{}`,
    'headers without an end': `${OK}${'X-One: 1\r\n'.repeat(100_000)}`,
    'HTTP/0.9': 'hello, world',
    'HTTP/2': '\0\0\x12\x04\0\0\0\0\0',
    TLS: '\x15\x03\x01\0\x02\x02\x28',
    'a version in small letters': 'http/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
    'a status of two digits': 'HTTP/1.1 99 Low\r\nContent-Length: 2\r\n\r\n{}',
    'a status of four digits': 'HTTP/1.1 1000 High\r\nContent-Length: 2\r\n\r\n{}',
    'a status that is no number': 'HTTP/1.1 OK OK\r\nContent-Length: 2\r\n\r\n{}',
    'a negative status': 'HTTP/1.1 -200 OK\r\nContent-Length: 2\r\n\r\n{}',
    'the status 000': 'HTTP/1.1 000 Nothing\r\nContent-Length: 2\r\n\r\n{}',
    'the status 001': 'HTTP/1.1 001 Little\r\nContent-Length: 2\r\n\r\n{}',
    'a request': 'GET / HTTP/1.1\r\nHost: gateway\r\n\r\n',
  }),
  ...rows(BROKEN, {
    'a chunk whose size is no number': `${CHUNKED}2\r\n{}\r\nzz\r\n${POISON}`,
    'a chunk that is longer than its size': `${CHUNKED}2\r\n{}}\r\n0\r\n\r\n${POISON}`,
    'a chunk whose size is beyond all numbers': `${CHUNKED}2\r\n{}\r\nfffffffffffffffff\r\n${POISON}`,
    'a chunk that ends with a bare line feed': `${CHUNKED}2\r\n{}\n0\r\n\r\n${POISON}`,
    'a trailer with a NUL': `${CHUNKED}2\r\n{}\r\n0\r\nX-One: a\0\r\n\r\n${POISON}`,
  }),
  ...rows(PASSED, {
    'an extension of a chunk': `${CHUNKED}2;a=b\r\n{}\r\n0\r\n\r\n`,
    'trailers that frame and route': `${CHUNKED}2\r\n{}\r\n0\r\nX-One: 1\r\nMcp-Session-Id: x\r\n\r\n`,
    'another protocol': 'RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}',
    'HTTP/1.0 with a length': 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}',
    'no reason phrase': 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}',
    'a reason phrase beyond ASCII': 'HTTP/1.1 200 \xd6K \xff\r\nContent-Length: 2\r\n\r\n{}',
    'a reason phrase with a control character':
      'HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\n{}',
    'a reason phrase with a NUL': 'HTTP/1.1 200 O\0K\r\nContent-Length: 2\r\n\r\n{}',
    'a reason phrase of 10 000 characters': `HTTP/1.1 200 ${'x'.repeat(10_000)}\r\nContent-Length: 2\r\n\r\n{}`,
    'an answer in a reason phrase': `HTTP/1.1 200 HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}`,
    'headers named as those of objects': `${OK}__proto__: a\r\nconstructor: b\r\n\r\n{}`,
  }),
  ...rows(
    { status: 599, body: '{}' },
    {
      'the status 599': 'HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\n{}',
    },
  ),
];

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

const hopByHop: readonly HostileAnswer[] = [
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

export const messageFamilies: readonly AnswerFamily[] = [
  { title: 'answers that are cut', id: 'D5', answers: cut },
  { title: 'answers that are none', id: 'G2', answers: framing },
  { title: 'answers with more behind', id: 'F4', answers: extra },
  { title: 'interim answers', id: 'G2', answers: interim },
  { title: 'redirects', id: 'D11', answers: redirects },
  { title: 'headers of one hop in answers', id: 'F4', answers: hopByHop },
];
