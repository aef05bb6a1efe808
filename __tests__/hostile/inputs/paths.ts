import {
  type Expected,
  type Family,
  INVALID_PATH,
  type Input,
  LIVE,
  NO_HTTP,
  pinned,
} from './input.ts';

/** GETs of the live session, whose target reaches its backend as it is. */
function asSent(targets: readonly string[]): Input[] {
  return targets.map((target) => ({
    name: `${target} reaches the backend as it is`,
    line: `GET ${target} HTTP/1.1`,
    head: LIVE,
    expected: pinned({ line: `GET ${target}` }),
  }));
}

/** GETs of the live session that are refused. */
function refused(expected: Expected, targets: readonly string[]): Input[] {
  return targets.map((target) => ({
    name: `${JSON.stringify(target)} is refused`,
    line: `GET ${target} HTTP/1.1`,
    head: LIVE,
    expected,
  }));
}

const paths: readonly Input[] = [
  ...refused(INVALID_PATH, [
    '/mcp/../admin',
    '/mcp/..',
    '/mcp/.',
    '/mcp/./admin',
    '/../mcp',
    '/mcp/%2e%2e/admin',
    '/mcp/%2E%2E/admin',
    '/mcp/.%2e/admin',
    '/mcp%2f..%2fadmin',
    '/mcp%2F%2e%2e%2Fadmin',
    '/mcp/..\\admin',
    '/..\\mcp',
    '/mcp%5c..%5cadmin',
    '/mcp/..;/admin',
    '/mcp/..;jsessionid=1/admin',
    '/mcp/..%3b/admin',
    '/mcp/..?a=1',
    '/mcp/..#a',
    '//{stranger}/../mcp',
  ]),
  ...asSent([
    '//{stranger}/mcp',
    '///{stranger}/mcp',
    '/\\{stranger}/mcp',
    '/http://{stranger}/mcp',
    '/@{stranger}/mcp',
    '/mcp@{stranger}',
    '/{stranger}:80/mcp',
    '/mcp;x',
    '/mcp;a=1/x;b=2',
    '/mcp%00',
    '/mcp%0d%0aX-Injected:%201',
    '/mcp%20HTTP/1.1%0d%0aHost:%20{stranger}',
    '/mcp%3f..',
    '/mcp%23x',
    '/mcp?..',
    '/mcp?/../admin',
    '/mcp?url=http://{stranger}/',
    '/mcp?backend_url=http://{stranger}&backend=B',
    '/mcp?a=1?b=2&&&',
    '/mcp#fragment',
    '/mcp%252e%252e/admin',
    '/mcp/%c0%ae%c0%ae/admin',
    '/mcp/%uff0e%uff0e/admin',
    '/mcp/%zz%',
    '/mcp/"<script>`{x}|^',
    '/mcp/...',
    '/__proto__/constructor',
    `/mcp/${'a/'.repeat(4000)}`,
  ]),
  ...refused(NO_HTTP, [
    '/mcp\0',
    '/mcp\x7f',
    '/mcp/\xef\xbc\x8e\xef\xbc\x8e/admin',
    '/mcp/\x1b[2J',
    '{stranger}/mcp',
    './mcp',
    '../mcp',
  ]),
];

export const pathFamilies: readonly Family[] = [{ title: 'paths', id: 'F6', inputs: paths }];
