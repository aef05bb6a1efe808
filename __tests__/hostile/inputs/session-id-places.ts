import { balanced, type Family, type Input, INVALID_ID, LIVE, NO_HTTP, pinned } from './input.ts';

const VERSION = 'MCP-Protocol-Version: 2025-11-25';

const lines: readonly Input[] = [
  {
    name: 'sent twice, the same',
    id: 'A4',
    head: [...LIVE, 'Mcp-Session-Id: {live}'],
    expected: INVALID_ID,
  },
  {
    name: 'sent twice, the live one first',
    id: 'A4',
    head: [...LIVE, 'mcp-session-id: other'],
    expected: INVALID_ID,
  },
  {
    name: 'sent twice, the live one last',
    id: 'A4',
    head: ['mcp-session-id: {other}', ...LIVE],
    expected: INVALID_ID,
  },
  {
    name: 'sent twice, one of them empty',
    id: 'A4',
    head: ['Mcp-Session-Id:', ...LIVE],
    expected: INVALID_ID,
  },
  {
    name: 'sent three times',
    id: 'A4',
    head: [...LIVE, ...LIVE, ...LIVE],
    expected: INVALID_ID,
  },
  {
    name: 'in a folded line',
    id: 'A4',
    head: ['Mcp-Session-Id:', ' {live}', VERSION],
    expected: NO_HTTP,
  },
  {
    name: 'continued in a folded line',
    id: 'A4',
    head: ['Mcp-Session-Id: {live}', '\tx', VERSION],
    expected: NO_HTTP,
  },
  {
    name: 'behind a name with a space',
    id: 'A4',
    head: ['Mcp-Session-Id : {live}', VERSION],
    expected: NO_HTTP,
  },
  {
    name: 'behind a name with a tab',
    id: 'A4',
    head: ['Mcp-Session-Id\t: {live}', VERSION],
    expected: NO_HTTP,
  },
  {
    name: 'behind a space, as the first header',
    id: 'A4',
    bytes: 'POST /mcp HTTP/1.1\r\n Mcp-Session-Id: {live}\r\nHost: gateway\r\n\r\n',
    expected: NO_HTTP,
  },
  {
    name: 'without a colon',
    id: 'A4',
    head: ['Mcp-Session-Id {live}', VERSION],
    expected: NO_HTTP,
  },
];

const places: readonly Input[] = [
  {
    name: 'under a name with underscores',
    id: 'A12',
    head: ['mcp_session_id: {live}', VERSION],
    expected: balanced(),
  },
  {
    name: 'under a name of another proxy',
    id: 'A12',
    head: ['X-Mcp-Session-Id: {live}', 'X-Session-Id: {live}', VERSION],
    expected: balanced(),
  },
  {
    name: 'in the query',
    id: 'A12',
    line: 'POST /mcp?Mcp-Session-Id={live}&sessionId={live} HTTP/1.1',
    expected: balanced({ line: 'POST /mcp?Mcp-Session-Id={live}&sessionId={live}' }),
  },
  {
    name: 'in the path',
    id: 'A12',
    line: 'GET /mcp/{live} HTTP/1.1',
    expected: balanced({ line: 'GET /mcp/{live}' }),
  },
  {
    name: 'in a cookie',
    id: 'A12',
    head: ['Cookie: mcp-session-id={live}; Mcp-Session-Id={live}'],
    expected: balanced(),
  },
  {
    name: 'in the body',
    id: 'A12',
    body: '{"jsonrpc":"2.0","id":1,"method":"x","Mcp-Session-Id":"{live}","sessionId":"{live}"}',
    expected: balanced(),
  },
  {
    name: 'in a trailer',
    id: 'A12',
    head: ['Transfer-Encoding: chunked', 'Trailer: Mcp-Session-Id'],
    body: '2\r\n{}\r\n0\r\nMcp-Session-Id: {live}\r\n\r\n',
    expected: balanced({ body: '{}' }),
  },
  {
    name: 'in a trailer, another one than in the head',
    id: 'A1',
    head: [...LIVE, 'Transfer-Encoding: chunked'],
    body: '2\r\n{}\r\n0\r\nMcp-Session-Id: {other}\r\n\r\n',
    expected: pinned({ body: '{}' }),
  },
  {
    name: 'as Last-Event-ID',
    id: 'A12',
    line: 'GET /mcp HTTP/1.1',
    head: ['Last-Event-ID: {live}', 'Accept: text/event-stream'],
    expected: balanced({ line: 'GET /mcp' }),
  },
  {
    name: 'as credentials',
    id: 'A12',
    head: ['Authorization: Bearer {live}'],
    expected: balanced(),
  },
  {
    name: 'of the modern revision, which has no sessions',
    id: 'E1',
    head: ['Mcp-Session-Id: {live}', 'Last-Event-ID: 1', 'MCP-Protocol-Version: 2026-07-28'],
    expected: balanced({ hidden: ['last-event-id'] }),
  },
  {
    name: 'not valid, of the modern revision',
    id: 'E1',
    head: ['Mcp-Session-Id: a b', 'MCP-Protocol-Version: 2026-07-28'],
    expected: balanced(),
  },
  {
    name: 'of the modern revision, and of an older one in a second header',
    head: [...LIVE, 'MCP-Protocol-Version: 2026-07-28'],
    expected: pinned(),
  },
];

export const sessionIdPlaceFamilies: readonly Family[] = [
  { title: 'lines of session ids', inputs: lines },
  { title: 'session ids in other places', inputs: places },
];
