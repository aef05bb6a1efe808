import { gzipSync } from 'node:zlib';
import { INITIALIZE } from '../../helpers/mcp-client.ts';
import {
  balanced,
  ENDED,
  type Expected,
  type Family,
  type Input,
  INVALID_ID,
  LIVE,
  pinned,
  TOOLS_LIST,
  UNKNOWN,
} from './input.ts';

const JSON_TYPE = 'Content-Type: application/json';
const NEVER_ISSUED = [JSON_TYPE, 'Mcp-Session-Id: never-issued'];
/** A session of a client that starts again: it sends no version. */
const RESTARTED = [JSON_TYPE, 'Mcp-Session-Id: {live}'];

const OPENS: Expected = { ...balanced(), opens: true };
/** As A2 and A3, with no id to repeat. */
const NO_ID: Expected = { ...UNKNOWN, echoes: undefined };

function bodies(
  expected: Expected,
  id: string,
  named: Readonly<Record<string, string>>,
  head = NEVER_ISSUED,
): Input[] {
  return Object.entries(named).map(([name, body]) => ({ name, id, head, body, expected }));
}

const utf16 = (text: string): string => Buffer.from(text, 'utf16le').toString('latin1');
const zipped = (text: string): string => gzipSync(text).toString('latin1');
const BOMB = zipped(`[${' '.repeat(20_000_000)}]`);
const BATCH = `[${TOOLS_LIST},${INITIALIZE}]`;

const starting: readonly Input[] = [
  ...bodies(OPENS, 'A5', {
    'initialize with an id that is not known': INITIALIZE,
    'initialize between blanks': ` \t\r\n${INITIALIZE}\n`,
    'initialize with members of a prototype': INITIALIZE.replace('{', '{"__proto__":{"id":1},'),
    'two methods, the last is initialize': INITIALIZE.replace('{', '{"method":"tools/list",'),
  }),
  ...bodies(OPENS, 'A5', { 'initialize with an id that has ended': INITIALIZE }, [
    JSON_TYPE,
    'Mcp-Session-Id: {ended}',
  ]),
  ...bodies(OPENS, 'A5', { 'initialize with a live id': INITIALIZE }, RESTARTED),
  ...bodies(OPENS, 'A6', { 'a batch with initialize': BATCH }),
  ...bodies(OPENS, 'A6', { 'a batch with initialize, with a live id': BATCH }, RESTARTED),
  ...bodies(balanced(), 'A5', {
    'initialize in escapes': '{"jsonrpc":"2.0","id":1,"method":"\\u0069nitialize"}',
  }),
  ...bodies(pinned(), 'A5', { 'initialize with a live id and a version': INITIALIZE }, [...LIVE]),
  ...bodies(
    { ...INVALID_ID, echoes: '1' },
    'A4',
    { 'initialize with an id that is none': INITIALIZE },
    ['Mcp-Session-Id: a b'],
  ),
  ...bodies(
    OPENS,
    'A12',
    { 'initialize with the id in its body': INITIALIZE.replace('{', '{"sessionId":"{live}",') },
    [JSON_TYPE],
  ),
  {
    name: 'initialize that comes byte by byte',
    id: 'A5',
    head: NEVER_ISSUED,
    body: INITIALIZE,
    trickled: true,
    expected: OPENS,
  },
  {
    name: 'initialize in two chunks',
    id: 'A5',
    head: [...NEVER_ISSUED, 'Transfer-Encoding: chunked'],
    body: '14\r\n{"id":1,"method":"in\r\n9\r\nitialize"\r\n1\r\n}\r\n0\r\n\r\n',
    expected: { ...balanced({ body: '{"id":1,"method":"initialize"}' }), opens: true },
  },
  {
    name: 'initialize in another method than POST',
    id: 'A2',
    line: 'PUT /mcp HTTP/1.1',
    head: NEVER_ISSUED,
    body: INITIALIZE,
    expected: { ...NO_ID, then: 'closes' },
  },
];

const lookalikes: readonly Input[] = [
  ...bodies(NO_ID, 'A8', {
    'initialize as a parameter': '{"jsonrpc":"2.0","params":{"method":"initialize"}}',
    'initialize as a result': '{"jsonrpc":"2.0","id":1,"result":{"method":"initialize"}}',
    'initialize in the prototype': '{"__proto__":{"method":"initialize"}}',
    'initialize in the prototype of the constructor':
      '{"constructor":{"prototype":{"method":"initialize"}}}',
    'Method in a capital': '{"jsonrpc":"2.0","id":1,"Method":"initialize"}',
    'method in a list': '{"jsonrpc":"2.0","id":1,"method":["initialize"]}',
    'a method that turns into initialize': '{"id":1,"method":{"toString":"initialize"}}',
    'a batch in a batch': `[[${INITIALIZE}]]`,
    'an empty batch': '[]',
    'a batch without initialize': `[${TOOLS_LIST}]`,
    'a batch of 5000': `[${Array<string>(5000).fill(TOOLS_LIST).join(',')}]`,
    'initialize as text': JSON.stringify(INITIALIZE),
    'initialize behind a byte order mark': `\xef\xbb\xbf${INITIALIZE}`,
    'initialize in UTF-16': utf16(INITIALIZE),
    'initialize in UTF-16 with a byte order mark': `\xff\xfe${utf16(INITIALIZE)}`,
    'initialize in overlong UTF-8': '{"id":1,"method":"\xc1\xa9nitialize"}'.replace('"id":1,', ''),
    'two documents': `${INITIALIZE}${TOOLS_LIST}`,
    'two documents in two lines': `${INITIALIZE}\n${INITIALIZE}`,
    'a document that does not end': INITIALIZE.slice(0, -1),
    'a document with a comment': `/* */${INITIALIZE}`,
    'a document with a comma too much': INITIALIZE.replace(/}$/, ',}'),
    'a document between parentheses': `(${INITIALIZE})`,
    'single quotes': INITIALIZE.replaceAll('"', "'"),
    'a NUL before the document': `\0${INITIALIZE}`,
    'a NUL behind the document': `${INITIALIZE}\0`,
    'a NUL in a text': '{"method":"initialize\0"}',
    'a line break in a text': '{"method":"initialize\n"}',
    'a form': 'method=initialize&id=1',
    XML: '<methodCall><methodName>initialize</methodName></methodCall>',
    'nothing but blanks': ' \n\t ',
    nothing: '',
    'the number 0': '0',
    null: 'null',
    '100 000 lists in each other': '['.repeat(100_000),
    '100 000 lists in each other, closed': '['.repeat(100_000) + ']'.repeat(100_000),
    '50 000 objects in each other': '{"method":'.repeat(50_000),
  }),
  ...bodies({ ...UNKNOWN, echoes: '1' }, 'A8', {
    'initialize with a space behind': '{"id":1,"method":"initialize "}',
    'Initialize in a capital': '{"id":1,"method":"Initialize"}',
    'initialize with a letter of another script': '{"id":1,"method":"\xd1\x96nitialize"}',
    'initialize with a NUL in an escape': '{"id":1,"method":"initialize\\u0000"}',
    'two methods, the last is another one': INITIALIZE.replace(/}$/, ',"method":"tools/list"}'),
    'two ids': '{"id":0,"id":1,"method":"tools/list"}',
  }),
];

/** Each of these ids comes back byte by byte, or not at all. */
const ids: readonly Input[] = [
  ['a number beyond 64 bits', '123456789012345678901234567890'],
  ['a number that is infinite', '1e999'],
  ['a number of 1000 digits', '9'.repeat(1000)],
  ['a negative zero', '-0.0'],
  ['a text with a quote and a tag', '"\\"</script><script>"'],
  ['a text with a line break in an escape', '"a\\r\\nX-Injected: 1"'],
  ['half a surrogate pair', '"\\ud800"'],
  ['a text of 1000 characters', `"${'x'.repeat(1000)}"`],
  ['an object', '{"a":1}', undefined],
  ['a list', '[1]', undefined],
  ['null', 'null', undefined],
  ['true', 'true', undefined],
].map(([name, sent, echoes = sent === undefined || /^["\d-]/.test(sent) ? sent : undefined]) => ({
  name: `the id of the request is ${name}`,
  id: 'A2',
  head: NEVER_ISSUED,
  body: `{"jsonrpc":"2.0","id":${sent},"method":"tools/list"}`,
  expected: { ...UNKNOWN, echoes },
}));

const large: readonly Input[] = [
  {
    name: '2 MiB with an id that is not known',
    head: NEVER_ISSUED,
    body: TOOLS_LIST.padEnd(2 * 2 ** 20),
    expected: { ...NO_ID, then: 'closes' },
  },
  {
    name: '2 MiB in chunks with an id that is not known',
    head: [...NEVER_ISSUED, 'Transfer-Encoding: chunked'],
    body: `200000\r\n${TOOLS_LIST.padEnd(2 * 2 ** 20)}\r\n0\r\n\r\n`,
    expected: { ...NO_ID, then: 'closes' },
  },
  {
    name: '2 MiB with an id that has ended',
    id: 'A3',
    head: [JSON_TYPE, 'Mcp-Session-Id: {ended}'],
    body: TOOLS_LIST.padEnd(2 * 2 ** 20),
    expected: { ...ENDED, echoes: undefined, then: 'closes' },
  },
  {
    name: '2 MiB with a live id and without a version',
    id: 'A1',
    head: RESTARTED,
    body: TOOLS_LIST.padEnd(2 * 2 ** 20),
    expected: pinned(),
  },
  {
    name: 'initialize behind 2 MiB of blanks',
    head: NEVER_ISSUED,
    body: `${' '.repeat(2 * 2 ** 20)}${INITIALIZE}`,
    expected: { ...NO_ID, then: 'closes' },
  },
  {
    name: 'initialize, compressed: it is not inflated',
    head: [...NEVER_ISSUED, 'Content-Encoding: gzip'],
    body: zipped(INITIALIZE),
    expected: NO_ID,
  },
  {
    name: 'a bomb of gzip with an id that is not known',
    head: [...NEVER_ISSUED, 'Content-Encoding: gzip'],
    body: BOMB,
    expected: NO_ID,
  },
  {
    name: 'a bomb of gzip of a live session: its backend gets it as it is',
    id: 'F1',
    head: [...RESTARTED, 'Content-Encoding: gzip'],
    body: BOMB,
    expected: pinned(),
  },
  {
    name: 'a coding that nobody knows',
    head: [...NEVER_ISSUED, 'Content-Encoding: x-unknown, gzip'],
    body: INITIALIZE,
    expected: NO_ID,
  },
  {
    name: 'a body of which the half comes, and nothing more',
    head: [...NEVER_ISSUED, 'Content-Length: 100'],
    body: INITIALIZE.slice(0, 50),
    expected: { ...NO_ID, then: 'closes' },
  },
];

export const bodyFamilies: readonly Family[] = [
  { title: 'bodies that open a session', id: 'A5', inputs: starting },
  { title: 'bodies that look like initialize', id: 'A8', inputs: lookalikes },
  { title: 'ids of requests', id: 'A2', inputs: ids },
  { title: 'large and slow bodies', id: 'A8', inputs: large },
];
