import http from 'node:http';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { onCleanup, startForAll } from '../../helpers/cleanup.ts';
import { readyComposeGateway } from '../../helpers/compose.ts';
import { createClient } from '../../helpers/e2e-clients.ts';
import { blockOf, replaced } from '../../helpers/markdown.ts';
import {
  call,
  ofSession,
  openSession,
  openStream,
  post,
  type OpenStream,
} from '../../helpers/mcp-client.ts';
import { startNginx } from '../../helpers/nginx.ts';
import { freePort, sharedRedisUrl } from '../../helpers/redis-server.ts';
import type { RunningRecipe } from '../../helpers/run-recipe.ts';
import {
  scriptedBackends,
  type Hit,
  type ScriptedBackend,
} from '../../helpers/scripted-backend.ts';
import { until } from '../../helpers/until.ts';

let backends: ScriptedBackend[];
let gateways: RunningRecipe[];

beforeAll(() =>
  startForAll(async () => {
    backends = await scriptedBackends(2);
    const redis = await sharedRedisUrl();
    gateways = await Promise.all(
      ['gateway-1', 'gateway-2'].map((name) => readyComposeGateway(name, backends, redis)),
    );
  }),
);

/** nginx with the configuration of the page, in front of the gateways. */
async function nginx(change: Readonly<Record<string, string>> = {}): Promise<{ url: string }> {
  const [one = '', two = ''] = gateways.map(({ origin }) => new URL(origin).host);
  const addresses = { 'gateway-1:3000': one, 'gateway-2:3000': two, ...change };
  return { url: await startNginx(replaced(blockOf('load-balancer', 'nginx'), addresses)) };
}

interface Through {
  /** The event stream of a session, as its client has it: as soon as it has the head of the answer. */
  readonly opened: Promise<OpenStream>;
  /** The same, at the server. */
  readonly server: Hit;
}

async function streamThrough(at: { url: string }): Promise<Through> {
  const id = await openSession(at);
  const opened = openStream(at, id);
  return { opened, server: await hitWhere(({ headers }) => headers['mcp-session-id'] === id) };
}

/** At any of the servers. */
function hitWhere(fits: (hit: Hit) => boolean): Promise<Hit> {
  return Promise.race(backends.map((backend) => backend.hitWhere(fits)));
}

test('a real client keeps its session, whichever gateway its requests come to', async () => {
  const { url } = await nginx();
  const client = createClient('SDK v1', `${url}/mcp`);
  onCleanup(() => client.close());
  await client.open();
  const [owner] = (await client.call('echo', { text: '' })).split(':');
  for (const text of ['1', '2', '3', '4'])
    expect(await client.call('echo', { text })).toBe(`${owner}: ${text}`);
});

const EVENT_STREAM = { 'Content-Type': 'text/event-stream' };
/** Those of nginx 1.22; newer ones may have others. */
const DEFAULTS = {
  'proxy_buffering off;': '',
  'proxy_http_version 1.1;': 'proxy_http_version 1.0;',
};

/** What the servers answer a GET, in this test. */
function answerBy(answer: (hit: Hit) => void): void {
  for (const backend of backends) {
    backend.answer = (hit) => hit.method === 'GET' && (answer(hit), true);
  }
  onCleanup(() => {
    for (const backend of backends) backend.answer = undefined;
  });
}

describe('an event', () => {
  test('is with the client before the stream ends', async () => {
    const { opened, server } = await streamThrough(await nginx());
    server.res.write('data: now\n\n');
    const client = await opened;
    await until(() => client.text.includes('data: now\n\n'));
    expect(client.text).toContain('data: now');
  });

  test('waits for the end of the stream, where nginx has its defaults', async () => {
    const at = await nginx(DEFAULTS);
    const { opened, server } = await streamThrough(at);
    server.res.write('data: now\n\n');
    await overtaken(at);
    expect(await Promise.race([opened, Promise.resolve('waiting')])).toBe('waiting');
    server.res.end();
    const client = await opened;
    expect(await client.closed).toBe('end');
    expect(client.text).toContain('data: now');
  });

  test('comes at once without proxy_buffering off too, but for the head of the stream', async () => {
    answerBy(({ res }) => res.writeHead(200, EVENT_STREAM).flushHeaders());
    const at = await nginx({ 'proxy_buffering off;': '' });
    const { opened, server } = await streamThrough(at);
    await overtaken(at);
    expect(await Promise.race([opened, Promise.resolve('waiting')])).toBe('waiting');
    server.res.write('data: now\n\n');
    const client = await opened;
    await until(() => client.text.includes('data: now\n\n'));
    expect(client.text).toBe('data: now\n\n');
  });

  test('comes at once all the same, where the server says X-Accel-Buffering: no', async () => {
    const headers = { ...EVENT_STREAM, 'X-Accel-Buffering': 'no' };
    answerBy(({ res }) => res.writeHead(200, headers).flushHeaders());
    const { opened, server } = await streamThrough(await nginx(DEFAULTS));
    server.res.write('data: now\n\n');
    const client = await opened;
    await until(() => client.text.includes('data: now\n\n'));
    expect(client.text).toContain('data: now');
  });
});

test('nginx breaks off a stream that is silent for too long, and not one with comments', async () => {
  const at = await nginx({ 'proxy_read_timeout 1h;': 'proxy_read_timeout 5s;' });
  const spoken = await streamThrough(at);
  const pings = setInterval(() => spoken.server.res.write(': ping\n\n'), 100);
  onCleanup(() => clearInterval(pings));
  const silent = await streamThrough(at);
  const began = performance.now();
  expect(await (await silent.opened).closed).toBe('broken');
  expect(performance.now() - began).toBeGreaterThan(2500);
  const client = await spoken.opened;
  const soFar = client.text.length;
  await until(() => client.text.length > soFar);
  expect(await Promise.race([client.closed, Promise.resolve('open')])).toBe('open');
});

test('2 MB reach the server, and without client_max_body_size get 413', async () => {
  const at = await nginx();
  const id = await openSession(at);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x', params: 'x'.repeat(2e6) });
  expect((await post(at, body, ofSession(id))).status).toBe(200);
  const other = await nginx({ 'client_max_body_size 4m;': '' });
  expect((await post(other, body, ofSession(id))).status).toBe(413);
});

test('the server sees the host that the client has asked for, and the address of the client', async () => {
  const at = await nginx();
  const { hostname, port } = new URL(at.url);
  const headers = {
    ...{ Host: 'mcp.example.com', 'X-Forwarded-For': '6.6.6.6' },
    ...{ Forwarded: 'for=6.6.6.6', 'X-Forwarded-Host': 'elsewhere.example.com' },
  };
  const localAddress = '127.0.0.2';
  await new Promise((resolve, reject) => {
    http
      .get({ hostname, port, path: '/mcp?whose', headers, localAddress }, (res) => {
        res.resume().on('end', resolve);
      })
      .on('error', reject);
  });
  const { headers: seen } = await hitWhere((hit) => hit.url === '/mcp?whose');
  expect(seen.host).toBe('mcp.example.com');
  expect(seen['x-forwarded-for']).toBe(localAddress);
  expect(seen['x-forwarded-proto']).toBe('http');
  expect(seen['x-forwarded-host']).toBe('mcp.example.com');
  expect(seen.forwarded).toBeUndefined();
});

test('when one gateway has stopped, the other one takes all requests', async () => {
  const at = await nginx({ 'gateway-1:3000': `127.0.0.1:${await freePort()}` });
  const id = await openSession(at);
  const answers = [];
  for (let asked = 0; asked < 6; asked += 1) answers.push((await call(at, id)).status);
  expect(answers).toEqual([200, 200, 200, 200, 200, 200]);
});

/** Whatever could have come by now is there: other requests, sent later, were answered. */
async function overtaken(at: { url: string }): Promise<void> {
  for (let asked = 0; asked < 10; asked += 1) await post(at, '{}');
}
