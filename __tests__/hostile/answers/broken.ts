import {
  type AnswerFamily,
  BROKEN,
  CHUNKED,
  ending,
  FAILED,
  type HostileAnswer,
  OK,
  PASSED,
  POISON,
  rows,
} from './answer.ts';

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

export const brokenFamilies: readonly AnswerFamily[] = [
  { title: 'answers that are cut', id: 'D5', answers: cut },
  { title: 'answers that are none', id: 'G2', answers: framing },
];
