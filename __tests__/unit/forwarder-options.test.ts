import { describe, expect, test } from '@jest/globals';
import { sessionForwarder, type SessionForwarderOptions } from '../../src/index.ts';

const made = (options: unknown) => () => sessionForwarder(options as SessionForwarderOptions);

describe('the options of sessionForwarder', () => {
  test.each([
    [undefined],
    [{}],
    [{ target: 'http://mcp-0:8080' }],
    [{ target: 'https://mcp-0/' }],
    [{ changeOrigin: true, xfwd: true, headersTimeout: 30_000, tls: { ca: 'pem' } }],
    [{ target: undefined, tls: undefined, headersTimeout: undefined }],
  ])('%p are taken', (options) => {
    expect(made(options)).not.toThrow();
  });

  test.each([
    [null, 'the options must be an object, such as { target }'],
    ['http://mcp-0', 'the options must be an object'],
    [{ targets: 'http://a' }, 'option "targets" is not an option, did you mean "target"?'],
    [{ target: 'mcp-0:8080' }, 'option "target": "mcp-0:8080" must be an origin such as'],
    [{ target: 'ftp://mcp-0' }, 'must be an origin such as "http://mcp-0:8080"'],
    [{ target: 7 }, 'option "target": 7 must be an origin'],
    [{ target: 'http://mcp-0/mcp' }, 'requests keep their path; use "http://mcp-0"'],
    [{ target: 'http://mcp-0?a' }, 'requests keep their path'],
    [{ target: 'http://me:secret@mcp-0' }, '"http://mcp-0" must not hold credentials'],
    [{ xfwd: 'yes' }, 'option "xfwd": "yes" must be true or false'],
    [{ changeOrigin: 1 }, 'option "changeOrigin": 1 must be true or false'],
    [{ tls: true }, 'option "tls": true must be an object, such as { ca }'],
    [{ headersTimeout: -1 }, 'option "headersTimeout": -1 must be a whole number of milliseconds'],
    [{ headersTimeout: 1.5 }, 'must be a whole number of milliseconds'],
    [{ headersTimeout: 2 ** 31 }, 'must be a whole number of milliseconds'],
  ])('%p are refused, with the remedy', (options, message) => {
    expect(made(options)).toThrow(
      expect.objectContaining({
        code: 'invalid_option',
        message: expect.stringContaining(message) as unknown,
      }),
    );
  });

  test('a secret in the target is not repeated', () => {
    for (const path of ['', '/mcp', '?a=1'])
      expect(made({ target: `http://me:secret@mcp-0${path}` })).not.toThrow(/secret/);
  });
});
