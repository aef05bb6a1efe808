import { describe, expect, test } from '@jest/globals';
import {
  mcpSessionRouting,
  SessionRoutingError,
  type StatusPageOptions,
} from '../../../src/index.ts';

function errorOf(options: unknown): SessionRoutingError {
  try {
    mcpSessionRouting().statusPage(options as { auth: false });
  } catch (error) {
    return error as SessionRoutingError;
  }
  throw new Error('the options were taken');
}

describe('a status page', () => {
  test.each<[string, unknown, string]>([
    ['no options', undefined, 'option "auth" is missing'],
    ['null', null, 'the options must be an object, such as { auth }'],
    ['nobody said to be let in', {}, 'write auth: false if nobody else can get to the page'],
    ['undefined', { auth: undefined }, 'option "auth" is missing'],
    ['true', { auth: true }, 'option "auth": true must be a function, or false'],
    ['a password', { auth: 'x' }, 'option "auth": "x" must be a function, or false'],
    ['a middleware', { auth: (_a: 1, _b: 2, _c: 3) => {} }, 'mount the middleware before the page'],
    [
      'a stray name',
      { auth: false, athu: 1 },
      'option "athu" is not an option, did you mean "auth"?',
    ],
  ])('is refused with %s, and the remedy', (_what, options, remedy) => {
    const error = errorOf(options);
    expect(error).toMatchObject({ code: 'invalid_option', name: 'SessionRoutingError' });
    expect(error.message).toMatch(/^statusPage: /);
    expect(error.message).toContain(remedy);
  });

  test.each<[StatusPageOptions['auth']]>([[false], [() => true], [(_req, _res) => false]])(
    'takes %s',
    (auth) => {
      expect(mcpSessionRouting().statusPage({ auth })).toHaveLength(3);
    },
  );
});
