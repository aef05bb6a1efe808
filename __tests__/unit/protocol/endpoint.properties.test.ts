import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { readEndpoint } from '../../../src/http/read-endpoint.ts';
import {
  ENDPOINT_PARAMS,
  endpointForClient,
  sessionInQuery,
} from '../../../src/protocol/endpoint.ts';

const GATEWAY = 'http://gateway:1';

const part = fc.constantFrom(
  ...['/', '//', '\\', '..', '.', '%2e', '%2f', 'http:', 'https:', 'ftp:', 'javascript:', '@', ':'],
  ...['evil.example', '10.0.0.1:80', '[', ']', '?', '&', '=', '#', 'sessionId', 'session_id', 'x'],
  ...['%', '%ff', '%0d%0a', '\r\n', '\n', '\t', ' ', '\0', '\u00e9', '\u{1f600}', '\ud800', ';'],
);
const junk = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
const endpoint = fc.oneof(
  junk,
  junk.map((text) => `/${text}`),
  fc.webUrl(),
  fc.string(),
);
const segment = fc.stringMatching(/^[a-z0-9%._~-]{1,6}$/);
const path = fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);

describe('E5: an endpoint that a client is told', () => {
  test('is a path of this gateway, in one line, whatever the backend has sent', () => {
    fc.assert(
      fc.property(endpoint, path, path, (sent, asked, atBackend) => {
        const told = endpointForClient(sent, { asked, sent: atBackend });
        fc.pre(told !== undefined);
        expect(new URL(told, GATEWAY).origin).toBe(GATEWAY);
        expect(told).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
      }),
      { numRuns: 500 },
    );
  });

  test('is the same path with the same query where the gateway moves no paths', () => {
    fc.assert(
      fc.property(path, path, fc.stringMatching(/^[a-z0-9=&%]{0,12}$/), (asked, to, query) => {
        const sent = `${to}?${query}`;
        const { pathname, search } = new URL(sent, GATEWAY);
        const mount = { asked, sent: asked };
        expect(endpointForClient(sent, mount)).toBe(pathname + search);
      }),
    );
  });

  test('has the session that is recorded for it', () => {
    const mount = { asked: '/sse', sent: '/sse' };
    const named = fc
      .tuple(junk, fc.constantFrom('sessionId=', 'session_id='), junk)
      .map((parts) => {
        return `/m?${parts.join('').replaceAll(/[\r\n#]/g, '')}`;
      });
    const before = fc.array(fc.constantFrom(': c', 'id: 1', 'database: x', 'x', 'data-a', ''));
    fc.assert(
      fc.property(named, before, fc.string({ unit: 'binary-ascii' }), (to, fields, more) => {
        const head = fields.map((field) => `${field}\n`).join('');
        const stream = Buffer.from(`${head}event: endpoint\ndata: ${to}\n\n${more}`);
        const read = readEndpoint(stream, mount, ENDPOINT_PARAMS);
        fc.pre(read !== undefined);
        const rewritten = read.rewrite(stream);
        const again = readEndpoint(rewritten, mount, ENDPOINT_PARAMS);
        expect(again).toMatchObject({ id: read.id, path: read.path });
        expect(rewritten.toString().endsWith(`\n\n${more}`)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('E5: the session in a URL', () => {
  test('is any text that was percent-encoded, behind any other parameters', () => {
    const id = fc.string({ unit: 'grapheme' });
    const others = fc.array(fc.stringMatching(/^[a-z%=]{0,6}$/), { maxLength: 3 });
    fc.assert(
      fc.property(id, others, others, (session, before, after) => {
        const pair = `sessionId=${encodeURIComponent(session)}`;
        const url = `/m?${[...before, pair, ...after].join('&')}`;
        expect(sessionInQuery(url, ENDPOINT_PARAMS)).toBe(session);
      }),
    );
  });

  test('is empty, which is no id, if it is there twice', () => {
    fc.assert(
      fc.property(junk, fc.constantFrom('sessionId', 'session%49d'), (more, name) => {
        const text = more.replaceAll(/[#?&]/g, '');
        const url = `/m?sessionId=${text}&${name}=${text}`;
        expect(sessionInQuery(url, ENDPOINT_PARAMS)).toBe('');
      }),
    );
  });

  test('is text or nothing in any URL', () => {
    fc.assert(
      fc.property(fc.oneof(endpoint, fc.string({ unit: 'binary' })), (url) => {
        const found = sessionInQuery(url, ENDPOINT_PARAMS);
        expect(url.includes('?') ? undefined : found).toBeUndefined();
        expect(['string', 'undefined']).toContain(typeof found);
      }),
    );
  });
});
