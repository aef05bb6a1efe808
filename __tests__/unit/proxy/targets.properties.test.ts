import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { checkBackend, originOf } from '../../../src/backends/origin.ts';
import { SessionRoutingError } from '../../../src/protocol/errors.ts';
import { hasDotSegments } from '../../../src/proxy/dot-segments.ts';
import { originForm } from '../../../src/proxy/framing.ts';
import { targetUrl } from '../../../src/proxy/target-url.ts';

const part = fc.constantFrom(
  ...[
    'http:',
    'https:',
    'HTTP:',
    'ftp:',
    'file:',
    'javascript:',
    '/',
    '//',
    '\\',
    '@',
    'u:p@',
    ':',
  ],
  ...[
    '80',
    '99999',
    'host',
    '10.0.0.1',
    '[::1]',
    '[',
    ']',
    '?q',
    '#h',
    '..',
    '%2e',
    '\0',
    '\n',
    ' ',
  ],
  ...['\ud800', '\u3002', 'xn--a', 'ⓗost', '%00'],
);
const urlLike = fc.oneof(
  fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.webUrl().map((url) => url.replace('://', '://user:secret@')),
  fc.string({ unit: 'binary' }),
);
const object = fc.record(
  {
    href: fc.oneof(urlLike, fc.constant(7)),
    protocol: fc.constantFrom('http:', 'https:', 'http', 'ftp:', ''),
    hostname: urlLike,
    host: urlLike,
    port: fc.oneof(fc.integer(), fc.string()),
    pathname: fc.oneof(fc.webPath(), fc.string()),
    socketPath: fc.string(),
    auth: fc.constant('user:secret'),
  },
  { requiredKeys: [] },
);
const target = fc.oneof(urlLike, object, fc.anything({ withNullPrototype: true }));

const origins = fc
  .tuple(fc.constantFrom('http://', 'https://', 'HTTP://u@', 'http://u:p@'), fc.domain(), part)
  .map((parts) => parts.join(''));

/** `undefined`: it was refused as it has to be. */
function backendOf(given: unknown): string | undefined {
  try {
    return checkBackend(given);
  } catch (error) {
    if (error instanceof SessionRoutingError && error.code === 'invalid_option') return undefined;
    throw error;
  }
}

describe('D9: the origin of anything', () => {
  test('is an http(s) origin without credentials, path and query, or none', () => {
    fc.assert(
      fc.property(target, (given) => {
        const origin = originOf(given);
        const url = new URL(origin ?? 'http://none');
        expect(url.href).toMatch(/^https?:\/\/[^/?#@\s]+\/$/);
        expect([`${url.origin}/`, url.username]).toEqual([url.href, '']);
        expect(originOf(origin)).toBe(origin);
      }),
      { numRuns: 500 },
    );
  });

  test('is the same the second time, and that of the URL', () => {
    fc.assert(
      fc.property(fc.webUrl(), (url) => {
        expect(originOf(url)).toBe(new URL(url).origin);
        expect(originOf(url)).toBe(originOf(new URL(url)));
      }),
    );
  });

  test('F6: is a backend only where nothing else was given with it', () => {
    fc.assert(
      fc.property(fc.oneof(target, origins), (given) => {
        const origin = backendOf(given);
        // Where it is refused there is nothing to see.
        const { pathname, search, hash, username, password } = new URL(
          origin === undefined ? 'http://refused' : String(given),
        );
        expect([pathname, search, hash, username, password]).toEqual(['/', '', '', '', '']);
        expect(origin ?? originOf(given)).toBe(originOf(given));
      }),
      { numRuns: 500 },
    );
  });
});

test('D9: the URL of any target is http(s), without credentials and fragment, short enough for a record', () => {
  fc.assert(
    fc.property(target, (given) => {
      const text = targetUrl(given);
      const url = new URL(text ?? 'http://none');
      expect(['http:', 'https:']).toContain(url.protocol);
      expect([url.username, url.password, url.hash]).toEqual(['', '', '']);
      expect(targetUrl(text)).toBe(text);
      expect(originOf(text) ?? url.origin).toBe(url.origin);
    }),
    { numRuns: 1000 },
  );
});

const step = fc.constantFrom(
  ...['.', '..', '...', '%2e', '%2E', '.%2e', '%2e.', '..;x', '.;', '..%3b', 'a', 'a..', '..a', ''],
  ...['%252e', '.%20', 'mcp', '%'],
);
const separator = fc.constantFrom('/', '/', '/', '\\', '%2f', '%2F', '%5c', '//');
const path = fc
  .array(fc.tuple(separator, step), { minLength: 1, maxLength: 6 })
  .map((steps) => `/${steps.flat().join('')}`);

describe('F6: dot segments', () => {
  test('are found in every spelling that a backend may know, and nowhere else', () => {
    fc.assert(
      fc.property(path, fc.constantFrom('', '?/../', '#/..', '?'), (asked, more) => {
        const plain = asked
          .replaceAll(/%2f|%5c|\\/gi, '/')
          .replaceAll(/%2e/gi, '.')
          .replaceAll(/%3b/gi, ';');
        const segments = plain.split('/').map((segment) => segment.replace(/;.*/s, ''));
        const dots = segments.some((segment) => segment === '.' || segment === '..');
        expect(hasDotSegments(asked + more)).toBe(dots);
      }),
      { numRuns: 1000 },
    );
  });

  test('are none where a URL parser moves to another path', () => {
    fc.assert(
      fc.property(path, (asked) => {
        const { pathname } = new URL(`http://backend${asked}`);
        const moves = pathname !== asked.replaceAll('\\', '/');
        expect(moves && !hasDotSegments(asked)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});

test('F6: the origin form of any request target is a path in one line, and of a path the same', () => {
  fc.assert(
    fc.property(fc.oneof(urlLike, path), (asked) => {
      const form = originForm(asked);
      const isPath = /^\/[\x21-\xff]*$/;
      expect(form ?? '/').toMatch(isPath);
      expect(isPath.test(asked) ? asked : form).toBe(form);
    }),
    { numRuns: 1000 },
  );
});
