import { describe, expect, test } from '@jest/globals';
import type { RecentDecision } from '../../../src/status/feed.ts';
import {
  call,
  initialize,
  openSession,
  openStream,
  post,
  terminate,
  TOOLS_LIST,
} from '../../helpers/mcp-client.ts';
import { pairings, stacks } from '../../helpers/pairings.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';
import { hashOf, statusGateway, type StatusGateway } from '../../helpers/status-gateway.ts';
import { ask, STATUS_PATH, watch, type Watched } from '../../helpers/status-page.ts';
import { until } from '../../helpers/until.ts';

/** The newest requests of a snapshot that has so many of them, the oldest first. */
async function decisions({ latest }: Watched, many: number): Promise<readonly RecentDecision[]> {
  await until(() => latest().decisions.length >= many);
  return latest().decisions;
}

async function watched(
  options: Parameters<typeof statusGateway>[0],
): Promise<{ gw: StatusGateway; watching: Watched }> {
  const gw = await statusGateway(options);
  return { gw, watching: await watch(gw.url) };
}

const MODERN = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/list' };

describe.each(stacks.filter(({ app }) => app !== 'none'))('$name', ({ app: express, proxy }) => {
  test('the life of a session is shown, by the hash of its id', async () => {
    const { gw, watching } = await watched({ express, proxy });
    const id = await openSession(gw);
    await call(gw, id);
    const stream = await openStream(gw, id);
    await until(() => watching.latest().backends[0]?.streams === 1);
    stream.close();
    await terminate(gw, id);
    await call(gw, id);
    const [opened, called, streamed, ended, refused] = await decisions(watching, 5);
    const session = hashOf(id);
    const backend = gw.origins[0];
    expect([opened, called]).toMatchObject([
      { kind: 'new', session, backend, method: 'POST', status: 200 },
      { kind: 'pinned', session, backend, method: 'POST', status: 200 },
    ]);
    expect(new Set([streamed?.method, ended?.method])).toEqual(new Set(['GET', 'DELETE']));
    expect(refused).toMatchObject({
      kind: 'refused',
      session,
      status: 404,
      reason: 'session_ended',
    });
    const { numbers, backends, refusals, kinds } = watching.latest();
    expect(numbers).toMatchObject({ opened: 1, ended: 1, recovered: 0, streams: 0 });
    expect(backends).toMatchObject([{ opened: 1, state: 'up' }, { opened: 0 }]);
    expect(refusals).toEqual([{ reason: 'session_ended', status: 404, count: 1, recent: 1 }]);
    expect(kinds).toEqual({ pinned: 3, new: 1, refused: 1, modern: 0, recovered: 0, other: 0 });
    expect(JSON.stringify(watching.snapshots)).not.toContain(id);
  });

  test('requests without a session are told apart', async () => {
    const { gw, watching } = await watched({ express, proxy });
    await post(gw, TOOLS_LIST, MODERN);
    await post(gw, TOOLS_LIST, { 'Mcp-Session-Id': 'guessed' });
    await ask(gw.url, '/.well-known/x');
    expect(await decisions(watching, 3)).toMatchObject([
      { kind: 'modern', method: 'POST', status: 200, backend: gw.origins[0] },
      { kind: 'refused', session: hashOf('guessed'), reason: 'unknown_session', status: 400 },
      { kind: 'other', method: 'GET', status: 200 },
    ]);
    expect(watching.latest().decisions[1]).not.toHaveProperty('backend');
  });

  test('a request that breaks off is shown as what the client has got', async () => {
    const { gw, watching } = await watched({ express, proxy });
    gw.backends[0].answer = ({ req }) => req.socket.destroy();
    expect((await initialize(gw)).status).toBe(502);
    expect(await decisions(watching, 1)).toMatchObject([
      { kind: 'refused', reason: 'upstream_failed', status: 502, backend: gw.origins[0] },
    ]);
    expect(watching.latest().backends[0]).toMatchObject({ failures: 1 });
  });

  test('a client that leaves before it is answered is shown so', async () => {
    const { gw, watching } = await watched({ express, proxy });
    gw.backends[0].answer = () => {};
    const leaving = ask(gw.url, '/mcp', { method: 'POST', headers: { Connection: 'close' } });
    await gw.backends[0].hit(0);
    gw.reset();
    await expect(leaving).rejects.toThrow(/ECONNRESET|socket hang up/);
    const again = await watch(gw.url);
    const [left] = await decisions(again, 1);
    expect(left).toMatchObject({ kind: 'new', method: 'POST' });
    expect(left).not.toHaveProperty('status');
    expect(watching.snapshots).not.toHaveLength(0);
  });
});

test('what has happened since the page was made is shown to whoever comes later', async () => {
  const gw = await statusGateway();
  await initialize(gw);
  const watching = await watch(gw.url);
  expect(await decisions(watching, 1)).toMatchObject([{ kind: 'new' }]);
});

describe('a session that is recovered', () => {
  test('is shown on its new backend', async () => {
    const { gw, watching } = await watched({ proxy: 'forward', options: { recover: true } });
    const id = await openSession(gw);
    await gw.backends[0].refuse();
    expect((await call(gw, id)).status).toBe(200);
    expect(await decisions(watching, 2)).toMatchObject([
      { kind: 'new', session: hashOf(id), backend: gw.origins[0] },
      { kind: 'recovered', session: hashOf(id), backend: gw.origins[1], status: 200 },
    ]);
    const { numbers, backends } = watching.latest();
    expect([numbers.recovered, backends[0]?.state]).toEqual([1, 'down']);
  });
});

describe('a session of HTTP+SSE', () => {
  test('is shown when its stream is over', async () => {
    const { gw, watching } = await watched({ options: { sse: true } });
    gw.backends[0].answer = ({ method, res }) => {
      if (method !== 'GET') return false;
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      return void res.write('event: endpoint\ndata: /messages?sessionId=the-session\n\n');
    };
    const stream = await openStream(gw, undefined, '/sse');
    await until(() => stream.text.includes('endpoint'));
    stream.close();
    expect(await decisions(watching, 1)).toMatchObject([
      { kind: 'new', session: hashOf('sse the-session'), method: 'GET' },
    ]);
  });
});

describe.each(pairings)('Express %d, http-proxy-middleware %d', (express, proxy) => {
  test('what the app answers itself is no business of the page, and the page is none of its own', async () => {
    const { gw, watching } = await watched({
      express,
      proxy,
      between: (app) => void app.get('/own', (_req, res) => void res.send('own')),
    });
    await ask(gw.url, '/own');
    await ask(gw.url, STATUS_PATH);
    await initialize(gw);
    expect(await decisions(watching, 1)).toHaveLength(1);
  });

  test('the calls of each second are counted, and the last fifty requests kept', async () => {
    const { gw, watching } = await watched({ express, proxy });
    const id = await openSession(gw);
    for (let count = 0; count < 59; count += 1) await call(gw, id);
    const sum = (counts: readonly number[] = []): number =>
      counts.reduce((all, each) => all + each, 0);
    await until(() => sum(watching.latest().calls) === 60);
    const { backends, decisions: kept, calls } = watching.latest();
    expect(backends.map((backend) => sum(backend.calls))).toEqual([60, 0]);
    expect([kept.length, kept[0]?.number, kept.at(-1)?.number]).toEqual([50, 10, 59]);
    expect(calls).toHaveLength(60);
  });
});

describe('a request that the gateway answers itself', () => {
  test('is shown as refused where the session of an answer could not be stored', async () => {
    const store = scriptedStore();
    const { gw, watching } = await watched({ store });
    store.fault = 'reject';
    expect((await initialize(gw)).status).toBe(503);
    expect(await decisions(watching, 1)).toMatchObject([
      { kind: 'refused', reason: 'store_unavailable', status: 503, backend: gw.origins[0] },
    ]);
    expect(watching.latest().numbers.storeFailures).toBeGreaterThan(0);
  });

  test('is shown where a session ends whose backend is not listed any more', async () => {
    let listed: string[] = [];
    const { gw, watching } = await watched({
      options: { backends: { list: () => listed, refresh: 10 } },
    });
    listed = [gw.origins[0]];
    await until(() => gw.sessions.backends.list().length === 1);
    const id = await openSession(gw);
    listed = [];
    await until(() => gw.sessions.backends.list().length === 0);
    expect((await terminate(gw, id)).status).toBe(204);
    const [opened, ended] = await decisions(watching, 2);
    expect([opened?.kind, ended]).toMatchObject(['new', { method: 'DELETE', status: 204 }]);
  });
});

describe('a gateway without a list of backends', () => {
  test('shows what it knows', async () => {
    const { gw, watching } = await watched({ options: { backends: undefined as never } });
    expect(watching.latest().backends).toEqual([]);
    expect(gw.sessions.backends.list()).toEqual([]);
  });
});
