import {
  balanced,
  type Expected,
  type Family,
  FREE,
  INVALID_ID,
  type Input,
  LIVE,
  OUT_OF_CHUNKS,
  PINNED,
  pinned,
  SMUGGLED,
  SMUGGLED_CHUNKS,
  UNKNOWN,
} from './input.ts';

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
      body: SMUGGLED_CHUNKS,
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
    body: SMUGGLED_CHUNKS,
    expected: pinned({ line: `${method} /mcp`, body: OUT_OF_CHUNKS }),
  })),
  {
    name: 'in the chunked body of a DELETE',
    line: 'DELETE /mcp HTTP/1.1',
    head: [...LIVE, 'Transfer-Encoding: chunked'],
    body: SMUGGLED_CHUNKS,
    expected: { ...pinned({ line: 'DELETE /mcp', body: OUT_OF_CHUNKS }), status: 405 },
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
    expected: { status: [], then: 'closes', hits: [] },
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

export const hiddenRequestFamilies: readonly Family[] = [
  { title: 'hidden requests', id: 'F4', inputs: hidden },
  { title: 'expectations', id: 'F4', inputs: expectations },
  { title: 'upgrades', id: 'F4', inputs: upgrades },
];
