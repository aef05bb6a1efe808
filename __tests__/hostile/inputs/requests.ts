import {
  balanced,
  type Expected,
  type Family,
  FREE,
  INVALID_PATH,
  INVALID_ID,
  type Input,
  LIVE,
  NO_HTTP,
  PINNED,
  pinned,
  SMUGGLED,
  TOOLS_LIST,
  UNKNOWN,
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

/** A request that is refused, with another one in its body. */
function refused(expected: Expected, head: readonly string[], what: string): Input[] {
  const alone: Expected = { ...expected, echoes: undefined };
  return [
    { name: `in a POST with ${what}`, head, body: SMUGGLED, expected: alone },
    ...['DELETE', 'GET', 'OPTIONS'].map((method) => ({
      name: `in a ${method} with ${what}`,
      line: `${method} /mcp HTTP/1.1`,
      head,
      body: SMUGGLED,
      // Its answer does not wait for a body.
      expected: { ...alone, then: 'closes' as const },
    })),
    {
      name: `in a body with ${what} that does not come to its end`,
      head: [...head, 'Content-Length: 5000'],
      body: SMUGGLED,
      expected: { ...alone, then: 'closes' },
    },
    {
      name: `in a chunked body with ${what}`,
      head: [...head, 'Transfer-Encoding: chunked'],
      body: '12\r\nDELETE /smuggled\r\n\r\n0\r\n\r\n',
      expected: { ...alone, then: 'closes' },
    },
  ];
}

const hidden: readonly Input[] = [
  ...refused(UNKNOWN, ['Mcp-Session-Id: never-issued'], 'an id that is not known'),
  ...refused(INVALID_ID, ['Mcp-Session-Id: a b'], 'an id that is none'),
  ...['GET', 'OPTIONS', 'PUT', 'PATCH'].map((method) => ({
    name: `in the body of a ${method}`,
    line: `${method} /mcp HTTP/1.1`,
    head: LIVE,
    body: SMUGGLED,
    expected: pinned({ line: `${method} /mcp` }),
  })),
  {
    name: 'in the body of a HEAD',
    line: 'HEAD /mcp HTTP/1.1',
    head: LIVE,
    body: SMUGGLED,
    expected: pinned({ line: 'HEAD /mcp' }),
  },
  {
    name: 'in the body of a DELETE',
    line: 'DELETE /mcp HTTP/1.1',
    head: LIVE,
    body: SMUGGLED,
    expected: { ...pinned({ line: 'DELETE /mcp' }), status: 405 },
  },
  ...['GET', 'OPTIONS', 'HEAD'].map((method) => ({
    name: `in the chunked body of a ${method}`,
    line: `${method} /mcp HTTP/1.1`,
    head: [...LIVE, 'Transfer-Encoding: chunked'],
    body: '12\r\nDELETE /smuggled\r\n\r\n0\r\n\r\n',
    expected: pinned({ line: `${method} /mcp`, body: 'DELETE /smuggled\r\n' }),
  })),
  {
    name: 'in the chunked body of a DELETE',
    line: 'DELETE /mcp HTTP/1.1',
    head: [...LIVE, 'Transfer-Encoding: chunked'],
    body: '12\r\nDELETE /smuggled\r\n\r\n0\r\n\r\n',
    expected: { ...pinned({ line: 'DELETE /mcp', body: 'DELETE /smuggled\r\n' }), status: 405 },
  },
  {
    name: 'in a body, without a session',
    body: SMUGGLED,
    expected: balanced(),
  },
  {
    name: 'behind a refused one: it is a request of its own',
    line: 'GET /mcp HTTP/1.1',
    head: ['Mcp-Session-Id: never-issued'],
    bytes:
      'GET /mcp HTTP/1.1\r\nHost: gateway\r\nMcp-Session-Id: never-issued\r\n\r\n' +
      'GET /second HTTP/1.1\r\nHost: gateway\r\n\r\n',
    expected: { status: [400, 200], hits: [{ ...FREE, line: 'GET /second' }] },
  },
  {
    name: 'behind one of the session, with an id that is not known: each is routed by its own',
    bytes:
      'GET /mcp HTTP/1.1\r\nHost: gateway\r\nMcp-Session-Id: {live}\r\n\r\n' +
      'GET /mcp HTTP/1.1\r\nHost: gateway\r\nMcp-Session-Id: never-issued\r\n\r\n' +
      'GET /mcp HTTP/1.1\r\nHost: gateway\r\nMcp-Session-Id: {other}\r\n\r\n',
    expected: {
      status: [200, 400, 200],
      hits: [
        { ...PINNED, line: 'GET /mcp' },
        { at: 'B', line: 'GET /mcp', sees: { 'mcp-session-id': '{other}' } },
      ],
    },
  },
  {
    name: 'behind one that asks for the end of the connection',
    bytes:
      'GET /mcp HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n' +
      'GET /smuggled HTTP/1.1\r\nHost: gateway\r\n\r\n',
    expected: {
      status: 400,
      then: 'closes',
      hits: [{ ...FREE, line: 'GET /mcp', cut: 'perhaps' }],
    },
  },
  {
    name: 'behind a tunnel',
    bytes: `CONNECT {B} HTTP/1.1\r\nHost: {B}\r\n\r\n${SMUGGLED}`,
    expected: CLOSED,
  },
];

const expectations: readonly Input[] = [
  {
    name: '100-continue, and a request in the body',
    head: [...LIVE, 'Expect: 100-continue'],
    body: SMUGGLED,
    expected: { ...pinned({ hidden: ['expect'] }), status: [100, 200] },
  },
  {
    name: '100-continue in capitals',
    head: [...LIVE, 'Expect: 100-CONTINUE'],
    expected: { ...pinned({ hidden: ['expect'] }), status: [100, 200] },
  },
  {
    name: '100-continue with an id that is not known',
    head: ['Mcp-Session-Id: never-issued', 'Expect: 100-continue'],
    expected: { ...UNKNOWN, status: [100, 400] },
  },
  {
    name: '100-continue with an id that is none, and the body does not come',
    head: ['Mcp-Session-Id: a b', 'Expect: 100-continue', 'Content-Length: 50'],
    body: '',
    expected: { ...INVALID_ID, status: [100, 400], echoes: undefined, then: 'closes' },
  },
  {
    name: '100-continue without a body',
    line: 'GET /mcp HTTP/1.1',
    head: [...LIVE, 'Expect: 100-continue'],
    expected: { ...pinned({ line: 'GET /mcp', hidden: ['expect'] }), status: [100, 200] },
  },
  {
    name: '100-continue of HTTP/1.0, which does not know it',
    line: 'POST /mcp HTTP/1.0',
    head: [...LIVE, 'Expect: 100-continue'],
    expected: { ...pinned({ hidden: ['expect'] }), then: 'closes' },
  },
  {
    name: 'something else, and a request in the body',
    head: [...LIVE, 'Expect: 200-ok'],
    body: SMUGGLED,
    expected: { status: 417, hits: [] },
  },
];

const upgrades: readonly Input[] = [
  {
    name: 'to WebSocket',
    line: 'GET /mcp HTTP/1.1',
    head: [
      ...LIVE,
      ...['Connection: Upgrade', 'Upgrade: websocket'],
      ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
    ],
    expected: pinned({ line: 'GET /mcp', hidden: ['upgrade'] }),
  },
  {
    name: 'to WebSocket, of an id that is not known',
    line: 'GET /mcp HTTP/1.1',
    head: ['Mcp-Session-Id: never-issued', 'Connection: Upgrade', 'Upgrade: websocket'],
    expected: { ...UNKNOWN, echoes: undefined },
  },
  {
    name: 'to HTTP/2 without TLS, and a request in the body',
    head: [
      ...LIVE,
      ...['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ='],
    ],
    body: SMUGGLED,
    expected: pinned({ hidden: ['upgrade', 'http2-settings'] }),
  },
  {
    name: 'to HTTP/2, named in two lines',
    head: [...LIVE, 'Connection: Upgrade', 'Upgrade: h2c', 'Upgrade: websocket'],
    expected: pinned({ hidden: ['upgrade'] }),
  },
  {
    name: 'to TLS',
    line: 'OPTIONS /mcp HTTP/1.1',
    head: [...LIVE, 'Connection: Upgrade', 'Upgrade: TLS/1.0'],
    expected: pinned({ line: 'OPTIONS /mcp', hidden: ['upgrade'] }),
  },
];

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

export const requests: readonly Family[] = [
  { title: 'request lines', id: 'F4', inputs: requestLines },
  { title: 'other protocols', id: 'G2', inputs: protocols },
  { title: 'hidden requests', id: 'F4', inputs: hidden },
  { title: 'expectations', id: 'F4', inputs: expectations },
  { title: 'upgrades', id: 'F4', inputs: upgrades },
  { title: 'absolute targets', id: 'F6', inputs: targets },
];
