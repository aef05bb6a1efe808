import { describe, expect, test } from '@jest/globals';
import { checkBackend, originOf } from '../../../src/backends/origin.ts';

test.each([
  ['http://mcp-0:8080', 'http://mcp-0:8080'],
  ['HTTP://MCP-0:80/path?q#h', 'http://mcp-0'],
  ['https://user:secret@mcp-0', 'https://mcp-0'],
  ['http://[::1]:8080/', 'http://[::1]:8080'],
  [new URL('http://mcp-0:8080/x'), 'http://mcp-0:8080'],
  ['ftp://mcp-0', undefined],
  ['mcp-0:8080', undefined],
  ['/mcp', undefined],
  ['', undefined],
  ['http://', undefined],
  ['http://mcp-0:99999', undefined],
  [undefined, undefined],
  [7, undefined],
  [{ href: 'http://mcp-0' }, undefined],
])('D9: the origin of %p is %p', (url, origin) => {
  expect(originOf(url)).toBe(origin);
});

describe('F6: a backend that is configured', () => {
  test.each([
    ['http://mcp-0:8080', 'http://mcp-0:8080'],
    ['http://mcp-0:8080/', 'http://mcp-0:8080'],
    [new URL('https://mcp-0'), 'https://mcp-0'],
  ])('%p is %s', (given, origin) => {
    expect(checkBackend(given)).toBe(origin);
  });

  test.each([
    [
      'http://mcp-0:8080/mcp',
      /"http:\/\/mcp-0:8080\/mcp" must be an origin.*use "http:\/\/mcp-0:8080"/,
    ],
    ['http://mcp-0/?x=1', /must be an origin.*use "http:\/\/mcp-0"/],
    ['http://mcp-0/#x', /must be an origin/],
    ['mcp-0:8080', /"mcp-0:8080" must be an absolute http or https URL such as/],
    ['', /must be an absolute http or https URL/],
    [undefined, /must be an absolute http or https URL/],
    [7, /must be an absolute http or https URL/],
  ])('%p is refused, with the remedy', (given, message) => {
    expect(() => checkBackend(given)).toThrow(message);
  });

  test('with credentials is refused without repeating them', () => {
    expect(() => checkBackend('http://me:secret@mcp-0')).toThrow(/"http:\/\/mcp-0" must not hold/);
  });
});
