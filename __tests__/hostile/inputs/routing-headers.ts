import { balanced, type Family, type Input, LIVE, pinned, TOOLS_LIST } from './input.ts';

/** Headers that other gateways take for orders. */
const FORGED: readonly string[] = [
  'X-Forwarded-Host: {stranger}',
  'X-Forwarded-Server: {stranger}',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Port: 1',
  'X-Forwarded-For: 127.0.0.1, {stranger}',
  'X-Forwarded-Prefix: /admin',
  'Forwarded: for=127.0.0.1;host="{stranger}";proto=https',
  'X-Host: {stranger}',
  'X-Real-IP: 127.0.0.1',
  'X-MCP-Route: B',
  'X-Backend: B',
  'X-Backend-Url: http://{stranger}',
  'X-Upstream: http://{B}',
  'X-Target: http://{stranger}',
  'Backend_Url: http://{stranger}',
  'X-Proxy-Host: {stranger}',
  'Proxy: http://{stranger}',
  'X-Original-URL: /admin',
  'X-Original-Host: {stranger}',
  'X-Rewrite-URL: /admin',
  'X-Envoy-Original-Path: /admin',
  'X-Envoy-Upstream-Rq-Timeout-Ms: 1',
  'X-Accel-Redirect: http://{stranger}/',
  'X-Sendfile: /etc/passwd',
  'X-HTTP-Method: DELETE',
  'X-HTTP-Method-Override: DELETE',
  'X-Method-Override: DELETE',
  'X-Session-Affinity: B',
  'Cookie: SERVERID=B; backend=B; INGRESSCOOKIE=B',
  'Mcp-Method: tasks/get',
  'Mcp-Name: {other}',
  'Mcp-Param-Region: {stranger}',
  'Destination: http://{stranger}/mcp',
  'Location: http://{stranger}/mcp',
  'Alt-Used: {stranger}',
  'Max-Forwards: 0',
  'Via: 1.1 gateway',
  'Range: bytes=0-0',
];

const forged: readonly Input[] = FORGED.flatMap((line) => {
  const [name = '', value = ''] = line.split(/: (.*)/s);
  const sees = { [name.toLowerCase()]: value };
  const hit = { sees, body: TOOLS_LIST };
  return [
    { name: `${line} leads nowhere else`, head: [...LIVE, line], expected: pinned(hit) },
    {
      name: `${line}, without a session`,
      id: 'A7',
      head: [line],
      expected: balanced(hit),
    },
  ];
});

/** What `Connection` names, and what arrives of it. */
const HELD = [
  'Mcp-Session-Id',
  'mcp-session-id, keep-alive',
  'keep-alive,,, ,MCP-SESSION-ID,',
  'MCP-Protocol-Version',
  'Host, Content-Length, Content-Type, Mcp-Session-Id',
  'Transfer-Encoding',
  'Forwarded, X-Forwarded-For, X-Forwarded-Host',
  'mcp-method, mcp-name',
  '"Mcp-Session-Id"',
  'Mcp-Session-Id;q=1',
  `${'x,'.repeat(4000)} mcp-session-id`,
];

const hopByHop: readonly Input[] = [
  ...HELD.map((value) => ({
    name: `Connection: ${value.slice(-60)}`,
    head: [
      ...LIVE,
      ...[`Connection: ${value}`, 'X-Forwarded-For: 192.0.2.1', 'Mcp-Method: tools/list'],
    ],
    expected: pinned({
      sees: {
        host: 'gateway',
        'mcp-protocol-version': '2025-11-25',
        'content-length': String(TOOLS_LIST.length),
        'x-forwarded-for': '192.0.2.1',
        'mcp-method': 'tools/list',
      },
    }),
  })),
  {
    name: 'Connection: close, mcp-session-id',
    head: [...LIVE, 'Connection: close, mcp-session-id'],
    expected: { ...pinned(), then: 'closes' },
  },
  {
    name: 'Connection in two lines, the second names the session',
    head: [...LIVE, 'Connection: keep-alive', 'Connection: Mcp-Session-Id'],
    expected: pinned(),
  },
  {
    name: 'Connection names headers of the client',
    head: [...LIVE, 'Connection: X-One, x-two', 'X-One: 1', 'X-Two: 2', 'X-Three: 3'],
    expected: pinned({ sees: { 'x-three': '3' }, hidden: ['x-one', 'x-two'] }),
  },
  {
    name: 'Proxy-Connection, Keep-Alive and TE name the session',
    head: [
      ...LIVE,
      ...['Proxy-Connection: Mcp-Session-Id', 'Keep-Alive: mcp-session-id', 'TE: mcp-session-id'],
    ],
    expected: pinned({ hidden: ['proxy-connection', 'keep-alive', 'te'] }),
  },
  {
    name: 'Trailer names the session',
    head: [...LIVE, 'Trailer: Mcp-Session-Id, Content-Length'],
    expected: pinned({ hidden: ['trailer'] }),
  },
  {
    name: 'credentials for a proxy',
    head: [...LIVE, 'Proxy-Authorization: Basic c2VjcmV0', 'Proxy-Authenticate: Basic'],
    expected: pinned({ hidden: ['proxy-authorization', 'proxy-authenticate'] }),
  },
  {
    name: 'Connection names the prototype',
    head: [...LIVE, 'Connection: __proto__, constructor, toString'],
    expected: pinned(),
  },
];

export const routingHeaderFamilies: readonly Family[] = [
  { title: 'forged headers', id: 'A1', inputs: forged },
  { title: 'hop-by-hop headers', id: 'F4', inputs: hopByHop },
];
