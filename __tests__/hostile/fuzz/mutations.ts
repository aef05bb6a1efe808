import type { Random } from './random.ts';
import type { Ids, Shape } from './shapes.ts';

type Mutation = (shape: Shape, random: Random, ids: Ids) => void;

const SESSION = 'Mcp-Session-Id';

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  function dropHeader({ headers }, random) {
    headers.splice(random.below(headers.length), 1);
  },
  function duplicateHeader({ headers }, random) {
    const header = random.maybe(headers);
    if (header) headers.splice(random.below(headers.length + 1), 0, [...header]);
  },
  function reorderHeaders(shape, random) {
    shape.headers = random.shuffled(shape.headers);
  },
  function swapId({ headers }, random, ids) {
    const id = random.maybe([...ids.live, ...ids.ended, 'unknown', '']) ?? '';
    const header = headers.find(([name]) => name === SESSION);
    if (header) header[1] = id;
    else headers.push([SESSION, id]);
  },
  function addAnotherId({ headers }, random, ids) {
    const name = random.pick([SESSION, 'MCP-SESSION-ID', 'mcp-session-id', 'Mcp_Session_Id']);
    headers.push([name, random.maybe([...ids.live, ...ids.ended, 'unknown']) ?? '']);
  },
  function spoilId({ headers }, random) {
    const header = headers.find(([name]) => name === SESSION);
    if (!header) return;
    const id = header[1];
    header[1] = random.pick([
      ...([`${id} `, ` ${id}`, `\t${id}`, `"${id}"`, `${id},`, `${id}, ${id}`, `${id}\0`] as const),
      ...([id.toUpperCase(), `${id}\u00e9`, id.slice(1), id.repeat(99), `${id};a=b`] as const),
    ]);
  },
  function changeMethod(shape, random) {
    shape.method = random.pick([
      ...(['POST', 'GET', 'HEAD', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'post'] as const),
      ...(['QUERY', 'PROPFIND', 'M-SEARCH', 'DELETE', ''] as const),
    ]);
  },
  function changeVersion(shape, random) {
    shape.version = random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', '', 'HTTP/1.1 ']);
  },
  function changePath(shape, random) {
    const [path = '', query = ''] = shape.target.split('?');
    shape.target = random.pick([
      ...([`${path}/?${query}`, `/${path}?${query}`, `/x/..${path}?${query}`] as const),
      ...([`/%2e%2e${path}?${query}`, `/x\\..${path}?${query}`, `${path};a?${query}`] as const),
      ...([
        `http://elsewhere.invalid${path}?${query}`,
        `//elsewhere.invalid${path}?${query}`,
      ] as const),
      ...([
        `*`,
        `${path}?${query}#f`,
        `${path}?${query} `,
        `?${query}`,
        `${path}%00?${query}`,
      ] as const),
      ...([`${path}?${query}&${'x'.repeat(9000)}`, `${path}?a=b&sessionId=x&${query}`] as const),
      ...([`/\u00e9${path}?${query}`, `https://h:1?${query}`, `gateway:80`] as const),
    ]);
  },
  function changeFraming(shape, random) {
    const length = Buffer.byteLength(shape.body);
    shape.headers.push(
      ...random.pick<[string, string][]>([
        [['Transfer-Encoding', 'chunked']],
        [['Content-Length', String(length)]],
        [['Content-Length', String(random.below(2 * length + 2))]],
        [['Transfer-Encoding', 'identity']],
        [['Transfer-Encoding', 'gzip, chunked']],
        [['Transfer-Encoding', '\u000bchunked']],
        [['Content-Length', '0']],
        [['Content-Encoding', 'gzip']],
        [['Trailer', SESSION]],
        [['Expect', '100-continue']],
        [['Expect', 'a miracle']],
      ]),
    );
    shape.framing = random.pick([shape.framing, 'none', 'length', 'chunked']);
  },
  function nominate({ headers }, random) {
    const what = random.pick([
      ...([
        'close',
        'keep-alive',
        SESSION,
        'Host',
        'Content-Length',
        'MCP-Protocol-Version',
      ] as const),
      ...(['Upgrade', 'TE, X-A', 'Transfer-Encoding', ',,', 'close, mcp-session-id'] as const),
    ]);
    headers.push(['Connection', what]);
  },
  function addOfOneHop({ headers }, random) {
    headers.push(
      random.pick<[string, string]>([
        ['Upgrade', 'websocket'],
        ['Upgrade', 'h2c'],
        ['TE', 'trailers'],
        ['Keep-Alive', 'timeout=0'],
        ['Proxy-Authorization', 'x'],
        ['Proxy-Connection', 'close'],
      ]),
    );
  },
  function changeRevision({ headers }, random) {
    headers.push([
      'MCP-Protocol-Version',
      random.pick([
        '2026-07-28',
        '2099-01-01',
        '2025-11-25',
        '',
        'DRAFT',
        '2026-07-28, 2025-11-25',
      ]),
    ]);
  },
  function addRouting({ headers }, random) {
    headers.push([
      random.pick([
        'X-Forwarded-Host',
        'Forwarded',
        'X-Backend',
        'Host',
        'Mcp-Method',
        'Mcp-Name',
        'X-HTTP-Method-Override',
      ]),
      random.pick(['elsewhere.invalid', 'DELETE', '', 'tools/call', 'tasks/get', 'a'.repeat(300)]),
    ]);
  },
  function addLargeHeader({ headers }, random) {
    headers.push([`X-${'a'.repeat(random.below(50))}`, 'x'.repeat(random.below(20_000))]);
  },
  function spoilBody(shape, random) {
    shape.body = random.pick([
      ...([`\ufeff${shape.body}`, ` \n${shape.body}`, shape.body.slice(0, -1), ''] as const),
      ...([shape.body.replace('"method"', '"Method"'), `[${shape.body}]`, '[', '{}'] as const),
      ...([shape.body.replace('{', '{"method":"initialize",'), 'null', `${shape.body}x`] as const),
      ...([shape.body.replace(/}$/, ',"method":"initialize"}'), `{"a":${shape.body}}`] as const),
      ...([shape.body.replace('{', `{"p":"${'\u00e9'.repeat(40_000)}",`), '"initialize"'] as const),
    ]);
  },
  function foldHeader({ headers }, random) {
    const header = random.maybe(headers);
    if (header) header[1] = random.pick([`a\r\n ${header[1]}`, `${header[1]}\n`, `\r${header[1]}`]);
  },
];

/** Changes what the request says, some times. */
export function mutateShape(shape: Shape, random: Random, ids: Ids): void {
  for (let left = 1 + random.below(3); left > 0; left -= 1) {
    random.pick(MUTATIONS)(shape, random, ids);
  }
}

/** Changes bytes wherever they stand, some times. */
export function mutateBytes(given: Buffer, random: Random): Buffer {
  let bytes = given;
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const at = random.below(bytes.length + 1);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const length = Math.min(after.length, 1 + random.below(random.chance(0.8) ? 4 : 80));
    const changed: (() => readonly Uint8Array[])[] = [
      () => [before, Buffer.from([(after[0] ?? 0) ^ (1 << random.below(8))]), after.subarray(1)],
      () => [before, Buffer.from(random.pick(PIECES), 'latin1'), after],
      () => [before, after.subarray(length)],
      () => [before, after.subarray(0, length), after],
      () => (random.chance(0.3) ? [before] : [bytes]),
    ];
    const change = random.maybe(changed);
    if (change) bytes = Buffer.concat([...change()]);
  }
  return bytes;
}

const PIECES: readonly [string, ...string[]] = [
  ...([
    '\0',
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    ':',
    ',',
    '\xff',
    '\x80',
    '%',
    '/',
    '\\',
    '"',
  ] as const),
  ...(['\r\n\r\n', '0\r\n\r\n', 'Mcp-Session-Id: unknown\r\n', 'Content-Length: 5\r\n'] as const),
  ...([
    'Transfer-Encoding: chunked\r\n',
    'GET / HTTP/1.1\r\nHost: g\r\n\r\n',
    '{',
    '}',
    '[',
  ] as const),
];
