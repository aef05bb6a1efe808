import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { rememberRoutedRequest, type RoutedRequest } from '../../../src/http/routed-request.ts';
import { targetUrl } from '../../../src/proxy/target-url.ts';
import { wrapRouter } from '../../../src/proxy/wrap-router.ts';

/** What the proxy is told of a request whose backend has this URL. */
async function targetOf(url: string): Promise<unknown> {
  const options: { router?: unknown } = {};
  wrapRouter(options);
  const req = { url: '/mcp', headers: {} } as IncomingMessage;
  const routed: Partial<RoutedRequest> = {
    prepare: () => undefined,
    destination: () => ({ kind: 'backend', url }),
  };
  rememberRoutedRequest(req, routed as RoutedRequest);
  return Reflect.apply(options.router as () => unknown, undefined, [req]);
}

test('the proxies get the URL of a backend parsed, the same one each time', async () => {
  const target = await targetOf('http://mcp-0:8080');
  expect(target).toBeInstanceOf(URL);
  expect(target).toMatchObject({ host: 'mcp-0:8080', protocol: 'http:' });
  expect(await targetOf('http://mcp-0:8080')).toBe(target);
});

test.each(['http://[::1]:8080', 'http://mcp-0:8080/base', 'http://mcp-0:8080/?a=1'])(
  '%s they parse themselves: http-proxy reads neither address nor path of a URL',
  async (url) => {
    expect(await targetOf(url)).toBe(url);
    expect(await targetOf(url)).toBe(url);
  },
);

test.each([
  ['http://mcp-0:8080', 'http://mcp-0:8080'],
  ['http://user:secret@mcp-0:8080/base?a=1#b', 'http://mcp-0:8080/base?a=1'],
  ['ftp://mcp-0', undefined],
  [new URL('http://mcp-0:8080/'), 'http://mcp-0:8080'],
  [{ host: 'mcp-0', port: 8080, pathname: '/base' }, 'http://mcp-0:8080/base'],
  [{ hostname: '::1', port: '8080', protocol: 'http:', pathname: '/' }, 'http://[::1]:8080'],
  [{ socketPath: '/run/mcp' }, undefined],
])('the target %p is recorded as %p, however often it is asked for', (target, url) => {
  expect([targetUrl(target), targetUrl(target)]).toEqual([url, url]);
});
