import { describe, expect, test } from '@jest/globals';
import type { Request, Response } from 'express';
import request from 'supertest';
import { prometheusOf } from '../../../examples/metrics/opentelemetry.ts';
import { registryOf } from '../../../examples/metrics/prom-client.ts';
import type { McpSessionRouting, Telemetry } from '../../../src/index.ts';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import {
  call,
  initialize,
  openSessions,
  post,
  terminate,
  TOOLS_LIST,
  echoCall,
  ofSession,
} from '../../helpers/mcp-client.ts';
import { samplesIn, valueOf, type Sample } from '../../helpers/prometheus-text.ts';
import { scriptedBackends, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { keyOf, scriptedStore, type ScriptedStore } from '../../helpers/scripted-store.ts';

interface Scene {
  readonly gw: Gateway;
  readonly backends: readonly ScriptedBackend[];
  readonly store: ScriptedStore;
  readonly scrape: () => Promise<Sample[]>;
  /** The labels of this package, as they are called here. */
  readonly labels: (given: Record<string, string>) => Record<string, string>;
}

interface Way {
  readonly name: string;
  readonly prefix: string;
  /** What it calls the histogram. */
  readonly duration: string;
  readonly make: () => {
    readonly telemetry?: Telemetry;
    readonly answer: (sessions: McpSessionRouting) => (req: Request, res: Response) => unknown;
  };
}

const WAYS: readonly [Way, Way] = [
  {
    name: 'prom-client and stats()',
    prefix: '',
    duration: 'store_operation_duration_seconds',
    make: () => ({
      answer(sessions) {
        const registry = registryOf(sessions);
        return async (_req, res) => res.type(registry.contentType).send(await registry.metrics());
      },
    }),
  },
  {
    name: 'the exporter of OpenTelemetry',
    prefix: 'mcp_session_routing_',
    duration: 'store_operation_duration',
    make() {
      const { telemetry, scraped } = prometheusOf();
      return { telemetry, answer: () => scraped };
    },
  },
];

async function sceneOf({ make, prefix }: Way): Promise<Scene> {
  const { telemetry, answer } = make();
  const backends = await scriptedBackends(2);
  const store = scriptedStore();
  const gw = await gateway({
    store,
    options: {
      backends: backends.map(({ origin }) => origin),
      recover: (_session, req) => req.headers['x-recover'] === 'yes',
      ...(telemetry && { telemetry }),
    },
    between: (app, sessions) => app.get('/metrics', answer(sessions)),
  });
  return {
    ...{ gw, backends, store },
    scrape: async () => {
      const { text } = await request(gw.url)
        .get('/metrics')
        .expect(200)
        .expect('Content-Type', /^text\/plain/);
      return samplesIn(text);
    },
    labels: (given) =>
      Object.fromEntries(Object.entries(given).map(([name, value]) => [prefix + name, value])),
  };
}

const MODERN = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/list' } as const;

describe.each(WAYS)('what Prometheus scrapes by $name', (way) => {
  test('are the numbers of what has happened', async () => {
    const { gw, backends, scrape, labels } = await sceneOf(way);
    const [a = '', b = ''] = await openSessions(gw, 2);
    for (const id of [a, b, a]) await call(gw, id).expect(200);
    await call(gw, 'guessed').expect(400);
    await terminate(gw, b).expect(200);
    await post(gw, TOOLS_LIST, MODERN).expect(200);
    await request(gw.url).get('/.well-known/x').expect(200);
    const samples = await scrape();
    const value = (name: string, given: Record<string, string> = {}): number | undefined =>
      valueOf(samples, `mcp_session_routing_${name}`, labels(given));
    expect({
      pinned: value('decisions_total', { decision: 'pinned' }),
      new: value('decisions_total', { decision: 'new' }),
      modern: value('decisions_total', { decision: 'modern' }),
      other: value('decisions_total', { decision: 'other' }),
      recovered: value('decisions_total', { decision: 'recovered' }),
      unknown: value('refusals_total', { reason: 'unknown_session' }),
      opened: value('sessions_opened_total'),
      deleted: value('sessions_ended_total', { reason: 'deleted' }),
      up: value('backend_status', { state: 'up' }),
      streams: value('streams'),
    }).toEqual({
      ...{ pinned: 4, new: 2, modern: 1, other: 1, recovered: 0, unknown: 1 },
      ...{ opened: 2, deleted: 1, up: 2, streams: 0 },
    });
    expect(value('backend_requests', { backend: backends[0]?.origin ?? '' })).toBe(0);
  });

  test('tell that the store is down, and how long it took', async () => {
    const { gw, store, scrape, labels } = await sceneOf(way);
    const [id = ''] = await openSessions(gw, 1);
    await call(gw, id).expect(200);
    store.fault = 'reject';
    await initialize(gw).expect(503);
    const samples = await scrape();
    const value = (name: string, given: Record<string, string> = {}): number | undefined =>
      valueOf(samples, `mcp_session_routing_${name}`, labels(given));
    expect(value('refusals_total', { reason: 'store_unavailable' })).toBe(1);
    expect(value('store_failures_total')).toBe(1);
    const created = { operation: 'create' };
    expect(value(`${way.duration}_count`, created)).toBe(2);
    expect(value(`${way.duration}_sum`, created)).toBeGreaterThan(0);
    const all = { ...labels(created), le: '+Inf' };
    expect(valueOf(samples, `mcp_session_routing_${way.duration}_bucket`, all)).toBe(2);
    expect(value('cache_lookups_total', { result: 'hit' })).toBeGreaterThan(0);
  });

  test('tell that a backend is down, that sessions are lost, and that some are recovered', async () => {
    const { gw, backends, scrape, labels } = await sceneOf(way);
    const [lost = '', , recovered = ''] = await openSessions(gw, 4);
    const down = backends.find(({ sessions }) => sessions.has(lost));
    expect(down?.sessions.has(recovered)).toBe(true);
    await down?.refuse();
    await call(gw, lost).expect(404);
    await post(gw, echoCall('x'), { ...ofSession(recovered), 'X-Recover': 'yes' }).expect(200);
    const samples = await scrape();
    const value = (name: string, given: Record<string, string> = {}): number | undefined =>
      valueOf(samples, `mcp_session_routing_${name}`, labels(given));
    expect({
      down: value('backend_status', { backend: down?.origin ?? '', state: 'down' }),
      up: value('backend_status', { state: 'up' }),
      lost: value('sessions_lost_total'),
      ended: value('sessions_ended_total', { reason: 'lost' }),
      recovered: value('sessions_recovered_total'),
      sentOn: value('decisions_total', { decision: 'recovered' }),
      refused: value('refusals_total', { reason: 'session_lost' }),
    }).toEqual({ down: 1, up: 1, lost: 2, ended: 1, recovered: 1, sentOn: 1, refused: 1 });
  });

  test('G1: name no session and no token', async () => {
    const { gw, backends, scrape } = await sceneOf(way);
    const token = 'token-of-ann-7c9e6679';
    const ids = await openSessions(gw, 2);
    const headers = { Authorization: `Bearer ${token}`, 'Mcp-Method': token };
    for (const id of ids) await post(gw, echoCall('x'), { ...ofSession(id), ...headers });
    await post(gw, echoCall('x'), { ...ofSession('guessed-7c9e6679'), ...headers });
    await backends[0]?.refuse();
    for (const id of ids) await call(gw, id);
    const text = JSON.stringify(await scrape());
    const hashes = ids.map((id) => keyOf(id).slice(0, 12));
    const secrets = [...ids, ...hashes, token, 'guessed-7c9e6679'];
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });
});

test('what OpenTelemetry was told outlives the middleware, for the last export', async () => {
  const [, way] = WAYS;
  const { gw, scrape } = await sceneOf(way);
  await openSessions(gw, 2);
  await gw.sessions.close();
  const samples = await scrape();
  expect(valueOf(samples, 'mcp_session_routing_sessions_opened_total')).toBe(2);
  expect(valueOf(samples, 'mcp_session_routing_backend_status')).toBeUndefined();
});
