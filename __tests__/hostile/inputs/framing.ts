import {
  CUT,
  type Expected,
  type Family,
  type Input,
  LIVE,
  NO_HTTP,
  PINNED,
  pinned,
  SMUGGLED,
} from './input.ts';

/** Requests of the live session with each of these header lines, and a request hidden behind or in the body. */
function framed(
  expected: Expected,
  body: string,
  named: Readonly<Record<string, readonly string[]>>,
): Input[] {
  return Object.entries(named).map(([name, head]) => ({
    name,
    head: [...LIVE, ...head],
    body,
    expected,
  }));
}

const CHUNKED = 'Transfer-Encoding: chunked';
/** A body that ends at once for a reader of chunks, and a request. */
const AFTER_CHUNKS = `0\r\n\r\n${SMUGGLED}`;
/** A request in a chunk. */
const IN_CHUNK = `69\r\n${'x'.repeat(0x69)}\r\n0\r\n\r\n`;

/** The client does send two requests: what follows the first one is routed like any other. */
const TWO: Expected = {
  status: [200, 405],
  hits: [
    { ...PINNED, body: '' },
    { ...PINNED, line: 'DELETE /smuggled', body: '' },
  ],
};

const lengths: readonly Input[] = [
  ...framed(NO_HTTP, AFTER_CHUNKS, {
    'a length and chunks': ['Content-Length: 4', CHUNKED],
    'chunks and a length': [CHUNKED, 'Content-Length: {length}'],
    'chunks and a length of 0': [CHUNKED, 'Content-Length: 0'],
    'chunks, and a length before a colon with a space': [CHUNKED, 'Content-Length : 4'],
    'chunks, and a length in a folded line': [CHUNKED, 'X-Folded: a', ' Content-Length: 4'],
  }),
  ...framed(NO_HTTP, SMUGGLED, {
    'two lengths that differ': ['Content-Length: 0', 'Content-Length: {length}'],
    'two lengths that differ, the long one first': [
      'Content-Length: {length}',
      'Content-Length: 0',
    ],
    'two lengths that are the same': ['Content-Length: {length}', 'Content-Length: {length}'],
    'a list of lengths': ['Content-Length: 0, {length}'],
    'a list of the same length': ['Content-Length: {length}, {length}'],
    'a negative length': ['Content-Length: -1'],
    'a length with a sign': ['Content-Length: +{length}'],
    'a length in hexadecimal': ['Content-Length: 0x2a'],
    'a length in octal notation': ['Content-Length: 0o12'],
    'a length with an exponent': ['Content-Length: 1e2'],
    'a length with a fraction': ['Content-Length: 1.0'],
    'a length with an underscore': ['Content-Length: 1_0'],
    'a length with a space inside': ['Content-Length: 1 0'],
    'a length with a parameter': ['Content-Length: {length};x=1'],
    'a length between quotes': ['Content-Length: "{length}"'],
    'a length in digits of another script': ['Content-Length: \xd9\xa1\xd9\xa0'],
    'a length with a vertical tab': ['Content-Length: {length}\v'],
    'a length with a NUL': ['Content-Length: {length}\0'],
    'a length that is no number': ['Content-Length: ten'],
    'a length that is empty': ['Content-Length:'],
    'a length beyond 64 bits': ['Content-Length: 99999999999999999999'],
    'a length that comes round to 0 in 64 bits': ['Content-Length: 18446744073709551616'],
    'a length before a colon with a space': ['Content-Length : {length}'],
    'a length before a colon with a tab': ['Content-Length\t: {length}'],
    'a length in a folded line': ['X-Folded: a', ' Content-Length: {length}'],
    'a length whose number is folded': ['Content-Length:', ' {length}'],
  }),
  ...framed(pinned({ body: SMUGGLED }), SMUGGLED, {
    'a request in a body': ['Content-Length: {length}'],
    'a length with zeros in front': ['Content-Length: 000{length}'],
    'a length in small letters': ['content-length:{length}'],
  }),
  ...framed(TWO, SMUGGLED, {
    'a length of 0, and a request behind it': ['Content-Length: 0'],
    'a length under a name with an underscore': ['Content_Length: {length}', 'Content-Length: 0'],
  }),
  {
    name: 'a length between tabs',
    head: [...LIVE, 'Content-Length:\t{length}\t'],
    body: SMUGGLED,
    expected: pinned({ body: SMUGGLED }),
    or: NO_HTTP,
  },
  {
    name: 'a length that is longer than the body',
    head: [...LIVE, 'Content-Length: 1000'],
    body: SMUGGLED,
    expected: { status: [], then: 'waits', hits: [{ ...PINNED, cut: true }] },
  },
];

const codings: readonly Input[] = [
  ...framed(NO_HTTP, AFTER_CHUNKS, {
    'a coding that is not known': ['Transfer-Encoding: xchunked'],
    'identity alone': ['Transfer-Encoding: identity'],
    'chunked, and then identity': ['Transfer-Encoding: chunked, identity'],
    'chunked, and then identity in a second line': [CHUNKED, 'Transfer-Encoding: identity'],
    'chunked, and then one that is not known': ['Transfer-Encoding: chunked, cow'],
    'chunked with a parameter': ['Transfer-Encoding: chunked;q=1'],
    'chunked between quotes': ['Transfer-Encoding: "chunked"'],
    'chunked behind a vertical tab': ['Transfer-Encoding: \vchunked'],
    'chunked before a form feed': ['Transfer-Encoding: chunked\f'],
    'chunked before a NUL': ['Transfer-Encoding: chunked\0'],
    'chunked before a no-break space': ['Transfer-Encoding: chunked\xa0'],
    'chunked with a letter of Turkish': ['Transfer-Encoding: chun\xc4\xb1ked'],
    'chunked with a space inside': ['Transfer-Encoding: chu nked'],
    'a coding before a colon with a space': ['Transfer-Encoding : chunked'],
    'a coding before a colon with a tab': ['Transfer-Encoding\t: chunked'],
    'a folded coding': ['Transfer-Encoding:', ' chunked'],
    'a coding in a folded line': ['X-Folded: a', ' Transfer-Encoding: chunked'],
    'a coding behind a bare carriage return': ['X-One: a\rTransfer-Encoding: chunked'],
    'a coding behind a bare line feed': ['X-One: a\nTransfer-Encoding: chunked'],
    'a coding between tabs': ['Transfer-Encoding:\tchunked\t'],
    'chunked twice': ['Transfer-Encoding: chunked, chunked'],
    'chunked in two lines': [CHUNKED, CHUNKED],
  }),
  ...framed(pinned({ body: 'x'.repeat(0x69) }), IN_CHUNK, {
    'a coding in capitals': ['TRANSFER-ENCODING: CHUNKED'],
    'a coding in mixed case': ['Transfer-Encoding: ChUnKeD'],
    'identity, and then chunked': ['Transfer-Encoding: identity, chunked'],
    'gzip, and then chunked': ['Transfer-Encoding: gzip, chunked'],
    'chunked behind an empty coding': ['Transfer-Encoding: , chunked'],
    'one under a name with an underscore': ['Transfer_Encoding: identity', CHUNKED],
  }),
  {
    name: 'an empty coding, which is none',
    head: [...LIVE, 'Transfer-Encoding:'],
    body: '',
    expected: pinned({ body: '' }),
    or: NO_HTTP,
  },
  {
    name: 'chunks of HTTP/1.0',
    line: 'POST /mcp HTTP/1.0',
    head: [...LIVE, CHUNKED],
    body: AFTER_CHUNKS,
    expected: { ...NO_HTTP, hits: [{ ...PINNED, body: '', cut: 'perhaps' }] },
  },
];

/** A chunked body: what is behind it is no request. */
function chunks(expected: Expected, named: Readonly<Record<string, string>>): Input[] {
  return Object.entries(named).map(([name, body]) => ({
    name,
    head: [...LIVE, CHUNKED],
    body,
    expected,
  }));
}

const inChunks: readonly Input[] = [
  ...chunks(NO_HTTP, {
    'a size that is no number': `zz\r\n${SMUGGLED}`,
    'a size that is empty': `\r\n${SMUGGLED}`,
    'a negative size': `-1\r\n${SMUGGLED}`,
    'a size with a sign': `+2\r\n{}\r\n0\r\n\r\n${SMUGGLED}`,
    'a size with a prefix': `0x2\r\n{}\r\n0\r\n\r\n${SMUGGLED}`,
    'a size with an underscore': `0_2\r\n{}\r\n0\r\n\r\n${SMUGGLED}`,
    'a size behind a space': ` 2\r\n{}\r\n0\r\n\r\n${SMUGGLED}`,
    'a size with a fraction': `2.0\r\n{}\r\n0\r\n\r\n${SMUGGLED}`,
    'a size beyond 64 bits': `10000000000000002\r\n{}\r\n0\r\n\r\n${SMUGGLED}`,
    'a size before a NUL': `2\0\r\n{}\r\n0\r\n\r\n${SMUGGLED}`,
    'a size that ends with a bare line feed': `2\n{}\r\n0\r\n\r\n${SMUGGLED}`,
    'a size that ends with a bare carriage return': `2\r{}\r\n0\r\n\r\n${SMUGGLED}`,
    'an extension that ends with a bare line feed': `2;x\n{}\r\n0\r\n\r\n${SMUGGLED}`,
    'a request in an extension': `2;${SMUGGLED}{}\r\n0\r\n\r\n`,
  }),
  ...chunks(CUT, {
    'a chunk that is longer than its size': `2\r\n{}x\r\n0\r\n\r\n${SMUGGLED}`,
    'a chunk without a line break behind it': `2\r\n{}0\r\n\r\n${SMUGGLED}`,
    'a chunk that ends with a bare line feed': `2\r\n{}\n0\r\n\r\n${SMUGGLED}`,
    'a chunk that ends with a bare carriage return': `2\r\n{}\r0\r\n\r\n${SMUGGLED}`,
    'a last chunk whose end is a bare line feed': `2\r\n{}\r\n0\n\n${SMUGGLED}`,
    'a trailer with a NUL': `2\r\n{}\r\n0\r\nX-Trailer: a\0\r\n\r\n${SMUGGLED}`,
    'a trailer without a colon': `2\r\n{}\r\n0\r\nDELETE /smuggled HTTP/1.1\r\n\r\n`,
    'a length in a trailer': '2\r\n{}\r\n0\r\nContent-Length: 90\r\n\r\n',
    'a coding in a trailer': '2\r\n{}\r\n0\r\nTransfer-Encoding: identity\r\n\r\n',
  }),
  ...chunks(pinned({ body: '{}' }), {
    'a size with zeros in front': '0000002\r\n{}\r\n0\r\n\r\n',
    'a last chunk of several zeros': '2\r\n{}\r\n00000\r\n\r\n',
    'an extension': '2;a=b\r\n{}\r\n0;c\r\n\r\n',
    'an extension between quotes': '2;a="b;c"\r\n{}\r\n0\r\n\r\n',
    'a session, a host and a cookie in trailers':
      '2\r\n{}\r\n0\r\nMcp-Session-Id: {other}\r\nHost: x\r\nCookie: a=b\r\n\r\n',
  }),
  {
    name: 'a long extension',
    head: [...LIVE, CHUNKED],
    body: `2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n${SMUGGLED}`,
    expected: { ...NO_HTTP, status: 413 },
  },
  {
    name: 'a body without its last chunk',
    head: [...LIVE, CHUNKED],
    body: '2\r\n{}\r\n',
    expected: { status: [], then: 'waits', hits: [{ ...PINNED, body: '{}', cut: true }] },
  },
];

export const framingFamilies: readonly Family[] = [
  { title: 'lengths', id: 'F4', inputs: lengths },
  { title: 'codings', id: 'F4', inputs: codings },
  { title: 'chunks', id: 'F4', inputs: inChunks },
];
