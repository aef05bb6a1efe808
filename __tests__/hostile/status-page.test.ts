import { expect, test } from '@jest/globals';
import { rawConnection, rawHttp, rawRequest } from '../helpers/raw-http.ts';
import { statusGateway } from '../helpers/status-gateway.ts';
import { STATUS_PATH, watch } from '../helpers/status-page.ts';

const JSON_TYPE = 'Content-Type: application/json';
const SAME_ORIGIN = 'Sec-Fetch-Site: same-origin';

interface Own {
  readonly origin: string;
  readonly host: string;
  /** The header that names the gateway, as the page knows it. */
  readonly gateway: string;
}

type Lines = (own: Own) => string[];

/** Requests that a page of another origin can send, or could if something else failed, and some that are near. */
const FOREIGN: Record<string, Lines> = {
  'a script without a word of where it is': ({ host, gateway }) => [host, JSON_TYPE, gateway],
  'a page of another site': ({ host, gateway }) => [
    ...[host, JSON_TYPE, gateway],
    'Origin: https://evil.example',
  ],
  'the same, in a browser that says more': ({ host, gateway }) => [
    ...[host, JSON_TYPE, gateway],
    ...['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site'],
  ],
  'a page in a sandbox': ({ host, gateway }) => [host, JSON_TYPE, gateway, 'Origin: null'],
  'another port of this host': ({ host, gateway }) => [
    ...[host, JSON_TYPE, gateway],
    'Origin: http://127.0.0.1:1',
  ],
  'a sister of this site': ({ host, origin, gateway }) => [
    ...[host, JSON_TYPE, gateway],
    ...[`Origin: ${origin}`, 'Sec-Fetch-Site: same-site'],
  ],
  'whoever says that it is of this origin, where the browser says that it is not': ({
    host,
    origin,
    gateway,
  }) => [host, JSON_TYPE, gateway, `Origin: ${origin}`, 'Sec-Fetch-Site: cross-site'],
  'the bar of addresses': ({ host, gateway }) => [host, JSON_TYPE, gateway, 'Sec-Fetch-Site: none'],
  'an origin that begins like this one': ({ host, origin, gateway }) => [
    ...[host, JSON_TYPE, gateway],
    `Origin: ${origin}.evil.example`,
  ],
  'an origin that ends like this one': ({ gateway }) => [
    ...['Host: status.example', JSON_TYPE, gateway],
    'Origin: http://evil.status.example',
  ],
  'an origin that holds this one': ({ host, origin, gateway }) => [
    ...[host, JSON_TYPE, gateway],
    `Origin: https://evil.example/${origin}`,
  ],
  'two origins': ({ host, origin, gateway }) => [
    ...[host, JSON_TYPE, gateway],
    ...[`Origin: ${origin}`, 'Origin: https://evil.example'],
  ],
  'an empty origin': ({ host, gateway }) => [host, JSON_TYPE, gateway, 'Origin:'],
  'an origin that is none': ({ host, gateway }) => [host, JSON_TYPE, gateway, 'Origin: x'],
  'a form of plain text': ({ host, origin, gateway }) => [
    ...[host, gateway, SAME_ORIGIN, `Origin: ${origin}`],
    'Content-Type: text/plain',
  ],
  'a form': ({ host, origin, gateway }) => [
    ...[host, gateway, SAME_ORIGIN, `Origin: ${origin}`],
    'Content-Type: application/x-www-form-urlencoded',
  ],
  'a form with files': ({ host, gateway }) => [
    ...[host, gateway, SAME_ORIGIN],
    'Content-Type: multipart/form-data; boundary=application/json',
  ],
  'a type that only looks like the right one': ({ host, gateway }) => [
    ...[host, gateway, SAME_ORIGIN],
    'Content-Type: text/plain; application/json',
  ],
  'a body without a type': ({ host, gateway }) => [host, gateway, SAME_ORIGIN],
  'no header that needs leave': ({ host, origin }) => [
    ...[host, JSON_TYPE, SAME_ORIGIN],
    `Origin: ${origin}`,
  ],
};

const NAMES = ['drain', 'undrain'] as const;

test.each(Object.entries(FOREIGN))(
  'a button of the status page is not pressed by %s',
  async (_who, lines) => {
    const gw = await statusGateway();
    const { latest } = await watch(gw.url);
    const [first, second] = gw.origins;
    gw.sessions.backends.drain(second);
    const own = {
      origin: gw.origin,
      host: `Host: ${new URL(gw.origin).host}`,
      gateway: `MCP-Status-Gateway: ${latest().gateway.id}`,
    };
    for (const name of NAMES) {
      const body = JSON.stringify({ url: name === 'drain' ? first : second });
      const head = [...lines(own), 'Connection: close'];
      const request = rawRequest(`POST ${STATUS_PATH}/${name}`, head, body);
      expect(await rawHttp(gw.url, request)).toMatch(/^HTTP\/1.1 403 /);
    }
    expect(gw.sessions.backends.list().map(({ state }) => state)).toEqual(['up', 'draining']);
  },
);

test.each<[string, Lines]>([
  ['its page, in a browser', ({ host, gateway }) => [host, JSON_TYPE, gateway, SAME_ORIGIN]],
  [
    'its page over plain http, where browsers say less',
    ({ host, origin, gateway }) => [host, JSON_TYPE, gateway, `Origin: ${origin}`],
  ],
  [
    'its page, by https and a proxy that changes Host',
    ({ gateway }) => [JSON_TYPE, gateway, SAME_ORIGIN, 'Origin: https://status.example'],
  ],
  [
    'its page, with a charset',
    ({ host, gateway }) => [host, `${JSON_TYPE};charset=utf-8`, gateway, SAME_ORIGIN],
  ],
])('a button of the status page is pressed by %s', async (_who, lines) => {
  const gw = await statusGateway();
  const { latest } = await watch(gw.url);
  const own = {
    origin: gw.origin,
    host: `Host: ${new URL(gw.origin).host}`,
    gateway: `MCP-Status-Gateway: ${latest().gateway.id}`,
  };
  const body = JSON.stringify({ url: gw.origins[0] });
  const request = rawRequest(
    `POST ${STATUS_PATH}/drain`,
    [...lines(own), 'Connection: close'],
    body,
  );
  expect(await rawHttp(gw.url, request)).toMatch(/^HTTP\/1.1 204 /);
  expect(gw.sessions.backends.list()[0]).toMatchObject({ state: 'draining' });
});

test.each([
  [403, 'a page of another site', ['Sec-Fetch-Site: cross-site', 'Origin: https://evil.example']],
  [403, 'a sister of this site', ['Sec-Fetch-Site: same-site']],
  [403, 'a page of another site over plain http', ['Origin: http://evil.example']],
  [200, 'its page', ['Sec-Fetch-Site: same-origin']],
  [200, 'its page over plain http, which says nothing', []],
  [200, 'somebody who types its address', ['Sec-Fetch-Site: none']],
])('the events are answered by %d to %s', async (status, _who, lines) => {
  const gw = await statusGateway();
  const client = await rawConnection(gw.url);
  client.write(rawRequest(`GET ${STATUS_PATH}/events`, lines));
  expect(await client.until(/\r\n\r\n/)).toContain(`HTTP/1.1 ${status} `);
});

test('no page of another origin gets leave for a header, or reads what the page is told', async () => {
  const gw = await statusGateway();
  const asked = rawRequest(`OPTIONS ${STATUS_PATH}/drain`, [
    ...['Connection: close', 'Origin: https://evil.example'],
    ...[
      'Access-Control-Request-Method: POST',
      'Access-Control-Request-Headers: mcp-status-gateway',
    ],
  ]);
  for (const request of [asked, rawRequest(`GET ${STATUS_PATH}`, ['Connection: close'])]) {
    const answer = await rawHttp(gw.url, request);
    expect(answer).not.toMatch(/^access-control-/im);
    expect(answer).toMatch(/^cross-origin-resource-policy: same-origin\r$/im);
  }
});

test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])(
  'a button is not pressed by %s',
  async (method) => {
    const gw = await statusGateway();
    const path = `${STATUS_PATH}/drain?url=${encodeURIComponent(gw.origins[0])}`;
    const answer = await rawHttp(gw.url, rawRequest(`${method} ${path}`, ['Connection: close']));
    expect(answer).toMatch(/^HTTP\/1.1 405 /);
    expect(gw.sessions.backends.list()[0]).toMatchObject({ state: 'up' });
  },
);
