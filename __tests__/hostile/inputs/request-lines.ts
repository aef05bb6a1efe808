import {
  balanced,
  type Expected,
  type Family,
  INVALID_PATH,
  type Input,
  LIVE,
  NO_HTTP,
  pinned,
  SMUGGLED,
  TOOLS_LIST,
} from './input.ts';

/** Requests of the live session with each of these request lines, and no body. */
function lines(expected: Expected, named: Readonly<Record<string, string>>): Input[] {
  return Object.entries(named).map(([name, line]) => ({
    name,
    line,
    head: LIVE,
    body: '',
    expected,
  }));
}

const CLOSED: Expected = { status: [], then: 'closes', hits: [] };

const requestLines: readonly Input[] = [
  ...lines(NO_HTTP, {
    'a method that is none': 'HIDE /mcp HTTP/1.1',
    'a method in small letters': 'post /mcp HTTP/1.1',
    'a method in mixed case': 'Post /mcp HTTP/1.1',
    'a method with a NUL': 'PO\0ST /mcp HTTP/1.1',
    'a method with a colon': 'POST: /mcp HTTP/1.1',
    'the method of the preface of HTTP/2': 'PRI /mcp HTTP/1.1',
    'no method': '/mcp HTTP/1.1',
    'no path': 'POST HTTP/1.1',
    'a space before the method': ' POST /mcp HTTP/1.1',
    'a tab in place of a space': 'POST\t/mcp\tHTTP/1.1',
    'a space behind the version': 'POST /mcp HTTP/1.1 ',
    'a space in the path': 'POST /mcp /smuggled HTTP/1.1',
    'a whole request in the path': 'POST /mcp HTTP/1.1 DELETE /smuggled HTTP/1.1',
    'a tab in the path': 'POST /mcp\t/smuggled HTTP/1.1',
    'a NUL in the path': 'POST /mcp\0 HTTP/1.1',
    'a control character in the path': 'POST /mcp\x01 HTTP/1.1',
    'a version in small letters': 'POST /mcp http/1.1',
    'HTTP/1.2': 'POST /mcp HTTP/1.2',
    'HTTP/9.9': 'POST /mcp HTTP/9.9',
    'a version of two digits': 'POST /mcp HTTP/1.10',
    'a version without its minor number': 'POST /mcp HTTP/1',
  }),
  // node:http takes these for HTTP: they are routed like any other, and reach the backend in one spelling.
  ...lines(pinned(), {
    'two spaces before the version': 'POST /mcp  HTTP/1.1',
    'two spaces before the path': 'POST  /mcp HTTP/1.1',
  }),
  ...lines(
    { ...pinned(), then: 'closes' },
    {
      'HTTP/2.0': 'POST /mcp HTTP/2.0',
      'another protocol': 'POST /mcp RTSP/1.0',
    },
  ),
  ...lines(
    { ...pinned(), then: 'waits' },
    {
      'no version': 'POST /mcp',
      'HTTP/0.9': 'POST /mcp HTTP/0.9',
    },
  ),
  ...lines(CLOSED, {
    'a tunnel to a stranger': 'CONNECT {stranger} HTTP/1.1',
    'a tunnel to a path': 'CONNECT /mcp HTTP/1.1',
    'a tunnel to another backend': 'CONNECT {B} HTTP/1.1',
  }),
  ...['TRACE', 'PUT', 'PATCH', 'PROPFIND', 'M-SEARCH', 'PURGE'].map((method) => ({
    name: `${method}, which MCP does not know`,
    id: 'A1',
    line: `${method} /mcp HTTP/1.1`,
    head: LIVE,
    expected: pinned({ line: `${method} /mcp` }),
  })),
  {
    name: 'HTTP/1.0',
    line: 'POST /mcp HTTP/1.0',
    head: LIVE,
    body: TOOLS_LIST,
    expected: { ...pinned(), then: 'closes' },
  },
  {
    name: 'HTTP/1.0 without Host',
    bytes: 'GET /mcp HTTP/1.0\r\nMcp-Session-Id: {live}\r\n\r\n',
    expected: { ...pinned({ line: 'GET /mcp' }), then: 'closes' },
  },
  {
    name: 'HTTP/0.9, which has no head',
    bytes: 'GET /mcp\r\n\r\n',
    expected: { ...balanced({ line: 'GET /mcp' }), then: 'waits' },
  },
];

const protocols: readonly Input[] = Object.entries({
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  'a greeting of TLS': '\x16\x03\x01\0\xf8\x01\0\0\xf4\x03\x03',
  'a greeting of SSH': 'SSH-2.0-OpenSSH_9.6\r\n',
  'a greeting of SMTP': 'EHLO gateway\r\n',
  'commands of Redis': '*1\r\n$8\r\nFLUSHALL\r\n',
  'a line of the PROXY protocol': `PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n${SMUGGLED}`,
  'a frame of WebSocket': '\x81\x85\0\0\0\0hello',
  'an answer': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'JSON alone': '{"jsonrpc":"2.0","id":1,"method":"initialize"}\r\n\r\n',
  'nothing but NULs': '\0'.repeat(64),
}).map(([name, bytes]) => ({ name, bytes, expected: NO_HTTP }));

/** Targets that are no path. */
const targets: readonly Input[] = [
  ...lines(pinned({ line: 'GET /mcp?a=1' }), {
    'that of a stranger': 'GET http://{stranger}/mcp?a=1 HTTP/1.1',
    'that of another backend': 'GET http://{B}/mcp?a=1 HTTP/1.1',
    'in capitals': 'GET HTTP://{stranger}/mcp?a=1 HTTP/1.1',
    'with TLS': 'GET https://{stranger}/mcp?a=1 HTTP/1.1',
    'with credentials': 'GET http://user:password@{stranger}/mcp?a=1 HTTP/1.1',
    'a host of two at signs': 'GET http://a@b@{stranger}/mcp?a=1 HTTP/1.1',
    'of IPv6': 'GET http://[::1]/mcp?a=1 HTTP/1.1',
  }),
  {
    name: 'with a port that is none',
    line: 'GET http://gateway:99999/mcp?a=1 HTTP/1.1',
    head: LIVE,
    expected: pinned({ line: 'GET /mcp?a=1' }),
    // Its filter makes a URL of it, and takes only what is one.
    on: { 4: { status: 404, hits: [] } },
  },
  {
    name: 'an asterisk',
    line: 'OPTIONS * HTTP/1.1',
    head: LIVE,
    expected: { ...INVALID_PATH, echoes: undefined },
    on: {
      3: { status: 404, reason: undefined, hits: [] },
      4: { ...pinned({ line: 'OPTIONS /*' }), reason: undefined },
    },
  },
  ...lines(NO_HTTP, {
    'another scheme behind a space': 'GET ftp ://{stranger}/mcp HTTP/1.1',
    'an authority alone': 'GET {stranger} HTTP/1.1',
    'a path without a slash': 'GET mcp HTTP/1.1',
    'an at sign': 'GET @{stranger}/mcp HTTP/1.1',
    'a scheme without an authority': 'GET http:/mcp HTTP/1.1',
    'a question mark': 'GET ?/mcp HTTP/1.1',
    'a backslash': 'GET \\mcp HTTP/1.1',
  }),
  ...lines(INVALID_PATH, {
    'a path of another one': 'GET http://gateway/mcp/../admin HTTP/1.1',
  }),
];

export const requestLineFamilies: readonly Family[] = [
  { title: 'request lines', id: 'F4', inputs: requestLines },
  { title: 'other protocols', id: 'G2', inputs: protocols },
  { title: 'absolute targets', id: 'F6', inputs: targets },
];
