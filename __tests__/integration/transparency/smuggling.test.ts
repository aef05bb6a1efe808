import { describe, expect, test } from '@jest/globals';
import { gateway } from '../../helpers/gateway.ts';
import { openSession } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { rawConnection } from '../../helpers/raw-http.ts';
import { scriptedBackend } from '../../helpers/scripted-backend.ts';

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: gateway\r\n\r\n';
const LENGTH = HIDDEN.length;

/** A request with these lines of head and this body, on the session. */
interface Attack {
  readonly line?: string;
  readonly lines: readonly string[];
  readonly body?: string;
  /** How many requests reach the backend, and what body the first of them has. @default none */
  readonly hits?: number;
  readonly received?: string;
}

const chunks = (...parts: string[]): string =>
  [...parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`), '0\r\n\r\n'].join('');

const ATTACKS: Readonly<Record<string, Attack>> = {
  'a length and chunks': {
    lines: ['Content-Length: 4', 'Transfer-Encoding: chunked'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'chunks and a length': {
    lines: ['Transfer-Encoding: chunked', `Content-Length: ${LENGTH + 5}`],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'two lengths that differ': {
    lines: ['Content-Length: 0', `Content-Length: ${LENGTH}`],
    body: HIDDEN,
  },
  'two lengths that are the same': {
    lines: [`Content-Length: ${LENGTH}`, `Content-Length: ${LENGTH}`],
    body: HIDDEN,
  },
  'a list of lengths': { lines: [`Content-Length: 0, ${LENGTH}`], body: HIDDEN },
  'a negative length': { lines: ['Content-Length: -1'], body: HIDDEN },
  'a length with a sign': { lines: [`Content-Length: +${LENGTH}`], body: HIDDEN },
  'a length in hexadecimal': { lines: ['Content-Length: 0x2a'], body: HIDDEN },
  'a length with a fraction': { lines: ['Content-Length: 1.0'], body: HIDDEN },
  'a length that is no number': { lines: ['Content-Length: ten'], body: HIDDEN },
  'a length that is empty': { lines: ['Content-Length:'], body: HIDDEN },
  'a length beyond all numbers': { lines: ['Content-Length: 99999999999999999999'], body: HIDDEN },
  'a length before a colon with a space': { lines: [`Content-Length : ${LENGTH}`], body: HIDDEN },
  'a length in a folded line': {
    lines: ['X-Folded: a', ` Content-Length: ${LENGTH}`],
    body: HIDDEN,
  },
  'a folded coding': { lines: ['Transfer-Encoding:', ' chunked'], body: `0\r\n\r\n${HIDDEN}` },
  'a coding before a colon with a space': {
    lines: ['Transfer-Encoding : chunked'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'a coding with a vertical tab': {
    lines: ['Transfer-Encoding: \u000bchunked'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'a coding that is not known': {
    lines: ['Transfer-Encoding: xchunked'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'chunked, and then another coding': {
    lines: ['Transfer-Encoding: chunked, identity'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'two codings in two lines': {
    lines: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'a chunk whose size is no number': {
    lines: ['Transfer-Encoding: chunked'],
    body: `zz\r\n${HIDDEN}`,
  },
  'a chunk whose size is negative': {
    lines: ['Transfer-Encoding: chunked'],
    body: `-1\r\n${HIDDEN}`,
  },
  'a chunk whose size has a prefix': {
    lines: ['Transfer-Encoding: chunked'],
    body: `0x5\r\nabcde\r\n0\r\n\r\n${HIDDEN}`,
  },
  'a chunk whose size is beyond all numbers': {
    lines: ['Transfer-Encoding: chunked'],
    body: `fffffffffffffffff\r\n${HIDDEN}`,
  },
  'a chunk that is longer than its size': {
    lines: ['Transfer-Encoding: chunked'],
    body: `3\r\nabcde\r\n0\r\n\r\n${HIDDEN}`,
  },
  'a chunk that ends with a bare line feed': {
    lines: ['Transfer-Encoding: chunked'],
    body: `5\r\nabcde\n0\r\n\r\n${HIDDEN}`,
  },
  'a line of the head that ends with a bare carriage return': {
    lines: ['X-One: a\rTransfer-Encoding: chunked'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'a NUL in a header': { lines: ['X-Nul: a\u0000b', `Content-Length: ${LENGTH}`], body: HIDDEN },
  'a name with a space': { lines: ['X Name: a', `Content-Length: ${LENGTH}`], body: HIDDEN },
  'a header without a name': { lines: [': a', `Content-Length: ${LENGTH}`], body: HIDDEN },
  'no Host': { line: 'POST /mcp HTTP/1.1', lines: ['Content-Length: 0'] },
  'a path with a space': { line: 'POST /mcp /hidden HTTP/1.1', lines: [] },
  'a version that is none': { line: 'POST /mcp HTTP/9.9', lines: [] },
  'a tunnel': { line: 'CONNECT 127.0.0.1:80 HTTP/1.1', lines: [] },
  'a method that is none': { line: 'HIDE /mcp HTTP/1.1', lines: [] },

  'a request in the extension of a chunk': {
    lines: ['Transfer-Encoding: chunked'],
    body: '2;GET /hidden HTTP/1.1\r\n{}\r\n0\r\n\r\n',
  },
  'a length in a trailer': {
    lines: ['Transfer-Encoding: chunked', 'Trailer: Content-Length'],
    body: `2\r\n{}\r\n0\r\nContent-Length: ${LENGTH}\r\n\r\n`,
  },

  'a request in a body with a length': {
    lines: [`Content-Length: ${LENGTH}`],
    body: HIDDEN,
    hits: 1,
    received: HIDDEN,
  },
  'a request in a chunk': {
    lines: ['Transfer-Encoding: chunked'],
    body: chunks(HIDDEN),
    hits: 1,
    received: HIDDEN,
  },
  'an extension of a chunk': {
    lines: ['Transfer-Encoding: chunked'],
    body: '2;GET=hidden\r\n{}\r\n0\r\n\r\n',
    hits: 1,
    received: '{}',
  },
  'a session in a trailer': {
    lines: ['Transfer-Encoding: chunked'],
    body: '2\r\n{}\r\n0\r\nMcp-Session-Id: another\r\n\r\n',
    hits: 1,
    received: '{}',
  },
  'a length that Connection names': {
    lines: [`Content-Length: ${LENGTH}`, 'Connection: Content-Length'],
    body: HIDDEN,
    hits: 1,
    received: HIDDEN,
  },
  'a coding that Connection names': {
    lines: ['Transfer-Encoding: chunked', 'Connection: keep-alive, Transfer-Encoding'],
    body: chunks(HIDDEN),
    hits: 1,
    received: HIDDEN,
  },
  'a coding of the past, and then chunks': {
    lines: ['Transfer-Encoding: identity, CHUNKED'],
    body: chunks(HIDDEN),
    hits: 1,
    received: HIDDEN,
  },
  'a session that Connection names': {
    lines: ['Content-Length: 2', 'Connection: Mcp-Session-Id, Host'],
    body: '{}',
    hits: 1,
    received: '{}',
  },
  'Expect, and a request in the body': {
    lines: [`Content-Length: ${LENGTH}`, 'Expect: 100-continue'],
    body: HIDDEN,
    hits: 1,
    received: HIDDEN,
  },
  'an upgrade, and a request in the body': {
    lines: [`Content-Length: ${LENGTH}`, 'Connection: Upgrade', 'Upgrade: h2c'],
    body: HIDDEN,
    hits: 1,
    received: HIDDEN,
  },
  'a HEAD with a body': {
    line: 'HEAD /mcp HTTP/1.1',
    lines: [`Content-Length: ${LENGTH}`],
    body: HIDDEN,
    hits: 1,
    received: HIDDEN,
  },
  'an absolute request line': {
    line: 'POST http://127.0.0.1:1/mcp HTTP/1.1',
    lines: ['Content-Length: 2'],
    body: '{}',
    hits: 1,
    received: '{}',
  },
};

describe.each(stacks)('F4 $name', ({ app: express, proxy }) => {
  test.each(Object.entries(ATTACKS))(
    '%s: nothing hidden reaches the backend',
    async (name, { line = 'POST /mcp HTTP/1.1', lines, body = '', hits = 0, received }) => {
      const nameless = name === 'no Host';
      const backend = await scriptedBackend();
      const gw = await gateway({ express, proxy, options: { backends: backend.origin } });
      const id = await openSession(gw);
      const head = [
        ...(nameless ? [] : ['Host: gateway']),
        ...[`Mcp-Session-Id: ${id}`, 'MCP-Protocol-Version: 2025-11-25'],
        ...lines,
      ];
      const client = await rawConnection(gw.url);
      client.write(Buffer.from(`${[line, ...head, '', ''].join('\r\n')}${body}`, 'latin1'));
      client.finish();
      await client.closed;
      // Whatever is on its way to the backend is there before the next answer.
      await openSession(gw);

      const reached = backend.hits.slice(1, -1);
      expect(reached.map(({ url }) => url)).toEqual(Array(hits).fill('/mcp'));
      expect(reached[0]?.body.toString()).toBe(received);
      for (const { headers } of reached) {
        expect(headers['mcp-session-id']).toBe(id);
        expect(['chunked', undefined]).toContain(headers['transfer-encoding']);
      }
    },
  );
});
