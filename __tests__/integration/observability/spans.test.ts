import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { context, diag, type Attributes } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import request from 'supertest';
import { openTelemetry } from '../../../src/opentelemetry.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import {
  call,
  echoCall,
  initialize,
  ofSession,
  openSession,
  openStream,
  post,
  TOOLS_LIST,
} from '../../helpers/mcp-client.ts';
import { stacks, type Stack } from '../../helpers/pairings.ts';
import { runToEnd } from '../../helpers/run-to-end.ts';
import { scriptedBackends, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { keyOf, scriptedStore, type ScriptedStore } from '../../helpers/scripted-store.ts';
import { until } from '../../helpers/until.ts';

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterAll(() => context.disable());

interface Scene {
  readonly gw: Gateway;
  readonly backends: readonly ScriptedBackend[];
  readonly store: ScriptedStore;
  /** The attributes of the spans that are over, as soon as there are so many. */
  readonly spans: (count: number) => Promise<Attributes[]>;
}

/** A gateway each of whose requests has a span, as instrumentation of HTTP makes them. */
async function sceneOf(
  { app, proxy }: Pick<Stack, 'app' | 'proxy'>,
  sampled = true,
  over: 'with the answer' | 'before it' = 'with the answer',
): Promise<Scene> {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    ...(sampled ? {} : { sampler: new AlwaysOffSampler() }),
  });
  const tracer = provider.getTracer('test');
  const backends = await scriptedBackends(2);
  const store = scriptedStore();
  const gw = await gateway({
    ...{ express: app, proxy, store },
    options: {
      backends: backends.map(({ origin }) => origin),
      telemetry: openTelemetry(),
      recover: (_session, req) => req.headers['x-recover'] === 'yes',
    },
    before: (own) =>
      own.use((_req, res, next) =>
        tracer.startActiveSpan('request', (span) => {
          if (over === 'with the answer') res.once('close', () => span.end());
          next();
          if (over === 'before it') span.end();
        }),
      ),
    between: (own) => own.get('/own', (_req, res) => void res.end('own')),
  });
  return {
    ...{ gw, backends, store },
    async spans(count) {
      await until(() => exporter.getFinishedSpans().length >= count);
      return exporter.getFinishedSpans().map(({ attributes }) => attributes);
    },
  };
}

const short = (id: string): string => keyOf(id).slice(0, 12);

describe.each(stacks)('the span of a request says ($name)', (stack) => {
  test('which session it has opened', async () => {
    const { gw, backends, spans } = await sceneOf(stack);
    const id = await openSession(gw);
    expect(await spans(1)).toEqual([
      {
        'mcp.method.name': 'initialize',
        'mcp.session.id': short(id),
        'mcp_session_routing.decision': 'new',
        'mcp_session_routing.backend': backends.find(({ sessions }) => sessions.has(id))?.origin,
      },
    ]);
  });

  test('to which session it belongs', async () => {
    const { gw, backends, spans } = await sceneOf(stack);
    const id = await openSession(gw);
    await call(gw, id).expect(200);
    expect((await spans(2))[1]).toEqual({
      'mcp.protocol.version': '2025-11-25',
      'mcp.session.id': short(id),
      'mcp_session_routing.decision': 'pinned',
      'mcp_session_routing.backend': backends.find(({ sessions }) => sessions.has(id))?.origin,
    });
  });

  test('that its session was recovered, and where it goes on', async () => {
    const { gw, backends, spans } = await sceneOf(stack);
    const id = await openSession(gw);
    const [lost, other] = backends.toSorted((a, b) => b.sessions.size - a.sessions.size);
    await lost?.refuse();
    await post(gw, echoCall('x'), { ...ofSession(id), 'X-Recover': 'yes' }).expect(200);
    expect((await spans(2))[1]).toMatchObject({
      'mcp_session_routing.decision': 'recovered',
      'mcp_session_routing.backend': other?.origin,
    });
  });

  test('what a request of 2026-07-28 is for', async () => {
    const { gw, spans } = await sceneOf(stack);
    const headers = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/list' };
    await post(gw, TOOLS_LIST, headers).expect(200);
    expect(await spans(1)).toMatchObject([
      {
        'mcp.protocol.version': '2026-07-28',
        'mcp.method.name': 'tools/list',
        'mcp_session_routing.decision': 'modern',
      },
    ]);
  });

  test.each(['x'.repeat(33), 'a/b/c/d/e', 'tools/list/', '7c9e6679', 'tools list'])(
    'no method that is none of MCP: %s',
    async (method) => {
      const { gw, spans } = await sceneOf(stack);
      const headers = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': method };
      await post(gw, TOOLS_LIST, headers).expect(200);
      const [span] = await spans(1);
      expect(span).toMatchObject({ 'mcp_session_routing.decision': 'modern' });
      expect(span).not.toHaveProperty(['mcp.method.name']);
    },
  );

  test('why it was refused, which below 500 is no error', async () => {
    const { gw, store, spans } = await sceneOf(stack);
    await call(gw, 'guessed').expect(400);
    store.fault = 'reject';
    await initialize(gw).expect(503);
    const [unknown, unavailable] = await spans(2);
    expect(unknown).toMatchObject({ 'mcp_session_routing.reason': 'unknown_session' });
    expect(unknown).not.toHaveProperty(['error.type']);
    expect(unavailable).toMatchObject({
      'error.type': 'store_unavailable',
      'mcp_session_routing.reason': 'store_unavailable',
    });
  });

  test('nothing of a request of the app', async () => {
    const { gw, spans } = await sceneOf(stack);
    await request(gw.url).get('/own').set('MCP-Protocol-Version', '2025-11-25').expect(200);
    expect(await spans(1)).toEqual([{}]);
  });

  test('G1: neither an id nor a token, wherever the client puts them', async () => {
    const { gw, spans } = await sceneOf(stack);
    const id = await openSession(gw);
    const token = 'token-of-ann-7c9e6679';
    const stray = { Authorization: `Bearer ${token}`, 'Mcp-Method': id };
    await post(gw, echoCall('x'), { ...ofSession(id), ...stray }).expect(200);
    await post(gw, echoCall('x'), { ...stray, 'MCP-Protocol-Version': token }).expect(200);
    await call(gw, `${id}-guessed`).expect(400);
    const stream = await openStream(gw, id);
    stream.close();
    const text = JSON.stringify(await spans(5));
    expect([id, token].filter((secret) => text.includes(secret))).toEqual([]);
  });
});

test('a span that is over is left alone, and nothing warns of it', async () => {
  const warned: string[] = [];
  const note = (...told: unknown[]): void => void warned.push(told.join(' '));
  const silent = (): void => {};
  diag.setLogger({ ...{ error: note, warn: note }, info: silent, debug: silent, verbose: silent });
  onCleanup(() => diag.disable());
  const { gw, spans } = await sceneOf({ app: 5, proxy: 4 }, true, 'before it');
  const id = await openSession(gw);
  await call(gw, id).expect(200);
  await spans(2);
  expect(warned).toEqual([]);
});

test('a span that is not recorded is left alone', async () => {
  const { gw } = await sceneOf({ app: 5, proxy: 4 }, false);
  const id = await openSession(gw);
  await call(gw, id).expect(200);
  expect(gw.sessions.stats().decisions).toMatchObject({ new: 1, pinned: 1 });
});

test('with the instrumentation of HTTP and of Express it is the span of the request that says so', async () => {
  const { code, output } = await runToEnd('observability/instrumented-gateway.ts');
  expect(code).toBe(0);
  const { ofHttp, others, ofExpress, origin } = JSON.parse(output) as Record<string, unknown>;
  const session = { 'mcp.session.id': short('session-7c9e6679') };
  const backend = { 'mcp_session_routing.backend': origin };
  expect(ofHttp).toEqual([
    {
      ...{ ...session, ...backend, 'mcp_session_routing.decision': 'new' },
      'mcp.method.name': 'initialize',
    },
    {
      ...{ ...session, ...backend, 'mcp_session_routing.decision': 'pinned' },
      'mcp.protocol.version': '2025-11-25',
    },
  ]);
  expect(others).toBe(0);
  expect(ofExpress).toBeGreaterThan(0);
});
