import {
  balanced,
  CUT,
  type Expected,
  type Family,
  type Input,
  LIVE,
  NO_HTTP,
  PINNED,
  pinned,
  SMUGGLED,
  SMUGGLED_CHUNKS,
  UNKNOWN,
} from './input.ts';

const HEAD = 'POST /mcp HTTP/1.1\r\nHost: gateway\r\nMcp-Session-Id: {live}\r\n';

/** Bytes that are no HTTP, as a whole. */
function noHttp(named: Readonly<Record<string, string>>): Input[] {
  return Object.entries(named).map(([name, bytes]) => ({ name, bytes, expected: NO_HTTP }));
}

const syntax: readonly Input[] = [
  ...noHttp({
    'lines that end with bare line feeds': `${HEAD}\r\n`.replaceAll('\r', ''),
    'lines that end with bare carriage returns': `${HEAD}\r\n`.replaceAll('\n', ''),
    'a bare line feed behind the request line': HEAD.replace('\r', '') + '\r\n',
    'a bare line feed at the end of the head': `${HEAD}\n${SMUGGLED}`,
    'a bare carriage return at the end of the head': `${HEAD}\r${SMUGGLED}`,
    'two carriage returns at the end of a line': `${HEAD}X-One: a\r\r\n\r\n`,
    'a bare line feed in a value': `${HEAD}X-One: a\nMcp-Session-Id: {other}\r\n\r\n`,
    'a NUL in a value': `${HEAD}X-One: a\0b\r\n\r\n`,
    'a NUL in a name': `${HEAD}X-O\0ne: a\r\n\r\n`,
    'a NUL at the end of a name': `${HEAD}Content-Length\0: 5\r\n\r\n`,
    'a control character in a value': `${HEAD}X-One: a\x08b\r\n\r\n`,
    'a space in a name': `${HEAD}X One: a\r\n\r\n`,
    'a byte beyond ASCII in a name': `${HEAD}X-\xd6ne: a\r\n\r\n`,
    'brackets in a name': `${HEAD}X[0]: a\r\n\r\n`,
    'no name': `${HEAD}: a\r\n\r\n`,
    'no colon': `${HEAD}X-One\r\n\r\n`,
    'a folded value': `${HEAD}X-One: a\r\n b\r\n\r\n`,
    'a line of a space before the first header':
      'POST /mcp HTTP/1.1\r\n \r\nHost: gateway\r\nMcp-Session-Id: {live}\r\n\r\n',
    'no Host': 'POST /mcp HTTP/1.1\r\nMcp-Session-Id: {live}\r\nContent-Length: 0\r\n\r\n',
  }),
  {
    name: 'a head that ends in the middle, and the client leaves',
    bytes: HEAD,
    expected: { status: [], then: 'waits', hits: [] },
  },
  {
    name: 'a name of every character that one may have',
    head: [...LIVE, "!#$%&'*+-.^_`|~09azAZ: 1"],
    expected: pinned({ sees: { "!#$%&'*+-.^_`|~09azaz": '1' } }),
  },
  {
    name: 'the name of a prototype as a header',
    head: [...LIVE, '__proto__: x', 'constructor: y', 'toString: z'],
    expected: pinned({ sees: { constructor: 'y', tostring: 'z' } }),
  },
  {
    name: 'a value of every byte that one may have',
    head: [...LIVE, 'X-One: \x80\xe9\xff\t~'],
    expected: pinned({ sees: { 'x-one': '\x80\xe9\xff\t~' } }),
  },
  {
    name: 'line breaks before the request',
    bytes: `\r\n\r\n\r\n${HEAD}Content-Length: 0\r\n\r\n`,
    expected: pinned({ body: '' }),
  },
  {
    name: 'a head that comes byte by byte',
    head: LIVE,
    trickled: true,
    expected: pinned(),
  },
  {
    name: 'a body of bad chunks that comes byte by byte',
    head: [...LIVE, 'Transfer-Encoding: chunked'],
    body: `2\r\n{}\r\nzz\r\n${SMUGGLED}`,
    trickled: true,
    expected: CUT,
  },
];

/** Node 20 tells of no more than 1000 headers; newer releases refuse more. */
const MANY = Array<string>(1200).fill('A:');
const TOO_MANY: Expected = { ...NO_HTTP, status: 431 };

/** A frame that stands behind all these counts for nothing, and what it frames is no request. */
const behindMany: readonly Input[] = ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE'].flatMap(
  (method) => {
    const row = { line: `${method} /mcp HTTP/1.1`, or: TOO_MANY };
    const status = method === 'DELETE' ? 405 : 200;
    const hits = [{ ...PINNED, line: `${method} /mcp`, body: '' }];
    return [
      {
        ...row,
        name: `a length behind 1200 headers: ${method}`,
        head: [...LIVE, ...MANY, 'Content-Length: {length}'],
        body: SMUGGLED,
        expected: { status, hits },
      },
      {
        ...row,
        name: `chunks behind 1200 headers: ${method}`,
        head: [...LIVE, ...MANY, 'Transfer-Encoding: chunked'],
        body: SMUGGLED_CHUNKS,
        expected: { status, hits },
      },
    ];
  },
);

const sizes: readonly Input[] = [
  ...['X-Long', 'Cookie', 'Mcp-Session-Id'].map((name) => ({
    name: `${name} beyond 16 KiB`,
    head: [`${name}: ${'x'.repeat(17_000)}`],
    expected: { ...NO_HTTP, status: 431 },
  })),
  {
    name: 'a request line beyond 16 KiB',
    line: `POST /mcp?${'x'.repeat(17_000)} HTTP/1.1`,
    head: LIVE,
    expected: { ...NO_HTTP, status: 431 },
  },
  {
    name: 'a name beyond 16 KiB',
    head: [...LIVE, `${'x'.repeat(17_000)}: 1`],
    expected: { ...NO_HTTP, status: 431 },
  },
  {
    name: 'many headers, beyond 16 KiB together',
    head: [...LIVE, ...Array.from({ length: 900 }, (_, at) => `X-${at}: ${'x'.repeat(20)}`)],
    expected: { ...NO_HTTP, status: 431 },
  },
  {
    name: '900 headers',
    head: [...LIVE, ...Array.from({ length: 900 }, (_, at) => `X-${at}: x`)],
    expected: pinned({ sees: { 'x-899': 'x' } }),
  },
  {
    name: '15 KiB of a value',
    head: [...LIVE, `X-Long: ${'x'.repeat(15_000)}`],
    expected: pinned({ sees: { 'x-long': 'x'.repeat(15_000) } }),
  },
  ...behindMany,
  {
    name: 'a session behind 1200 headers',
    id: 'A12',
    head: [...MANY, ...LIVE],
    body: '',
    expected: balanced(),
    or: TOO_MANY,
  },
  {
    name: 'a second session behind 1200 headers',
    head: [...LIVE, ...MANY, 'Mcp-Session-Id: {other}'],
    body: '',
    expected: pinned(),
    or: TOO_MANY,
  },
];

/** What a client may say of the host: it is no address to go to. */
function hosts(expected: Expected, named: Readonly<Record<string, readonly string[]>>): Input[] {
  return Object.entries(named).map(([name, values]) => ({
    name,
    head: [...values.map((value) => `Host: ${value}`), ...LIVE],
    expected,
  }));
}

const named: readonly Input[] = [
  ...hosts(pinned({ sees: { host: '{stranger}' } }), { 'a stranger': ['{stranger}'] }),
  ...hosts(pinned({ sees: { host: '{B}' } }), { 'another backend': ['{B}'] }),
  ...hosts(pinned({ sees: { host: 'one' } }), { 'two that differ': ['one', '{stranger}'] }),
  ...hosts(pinned(), {
    'an address of the cloud': ['169.254.169.254'],
    'a path behind it': ['gateway/../{stranger}'],
    'credentials before it': ['user:password@{stranger}'],
    'a port that is none': ['gateway:99999'],
    'a port that is no number': ['gateway:x'],
    'a list': ['gateway, {stranger}'],
    'spaces inside': ['gateway {stranger}'],
    'a byte beyond ASCII': ['g\xe4teway'],
    'an IPv6 address without its end': ['[::1'],
  }),
  {
    name: 'a stranger, of a session that is not known',
    id: 'A2',
    head: ['Host: {stranger}', 'Mcp-Session-Id: never-issued'],
    expected: UNKNOWN,
  },
];

export const headFamilies: readonly Family[] = [
  { title: 'heads', id: 'F4', inputs: syntax },
  { title: 'sizes of heads', id: 'F4', inputs: sizes },
  { title: 'hosts', id: 'A1', inputs: named },
];
