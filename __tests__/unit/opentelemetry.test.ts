import { afterEach, describe, expect, test } from '@jest/globals';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { BackendInfo } from '../../src/backends/backend.ts';
import { counting } from '../../src/counters.ts';
import { Observers } from '../../src/observers.ts';
import { openTelemetry } from '../../src/opentelemetry.ts';
import type { Stats } from '../../src/stats.ts';

const KEY = '0123456789abcdef'.repeat(4);
const A: BackendInfo = {
  ...{ url: 'http://a', id: undefined, state: 'up', requests: 2, streams: 1, opened: 5 },
};

const providers: MeterProvider[] = [];
afterEach(() => Promise.all(providers.splice(0).map((each) => each.shutdown())));

type Point = readonly [attributes: object, value: unknown];

/** What is told of middlewares by a real SDK. */
function metered(): {
  readonly observed: (backends?: () => readonly BackendInfo[]) => Observers;
  readonly points: (name: string) => Promise<Point[]>;
  readonly units: () => Promise<Record<string, string>>;
} {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [reader] });
  providers.push(meterProvider);
  const telemetry = openTelemetry({ meterProvider });
  const collected = async () => {
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).toEqual([]);
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
  };
  return {
    observed(backends = () => []) {
      const { observer, counters } = counting();
      const now = { streams: 3, cached: 4, cacheHits: 0, cacheMisses: 0 };
      const stats = (): Stats => ({ ...counters(), ...now });
      const observers = new Observers();
      observers.add(observer);
      observers.add(telemetry.observe({ stats, backends }));
      return observers;
    },
    async points(name) {
      const found = (await collected()).find(
        ({ descriptor }) => descriptor.name === `mcp_session_routing.${name}`,
      );
      return (found?.dataPoints ?? []).map(({ attributes, value }): Point => [attributes, value]);
    },
    async units() {
      const pairs = (await collected()).map(({ descriptor }) => [descriptor.name, descriptor.unit]);
      return Object.fromEntries(pairs) as Record<string, string>;
    },
  };
}

describe('what OpenTelemetry is told', () => {
  test('has the names and units that are documented', async () => {
    const { observed, units } = metered();
    const observers = observed(() => [A]);
    observers.refused('no_backend', undefined);
    observers.stored('read', 1, undefined);
    expect(await units()).toEqual({
      'mcp_session_routing.decisions': '{decision}',
      'mcp_session_routing.refusals': '{request}',
      'mcp_session_routing.sessions.opened': '{session}',
      'mcp_session_routing.sessions.ended': '{session}',
      'mcp_session_routing.sessions.lost': '{session}',
      'mcp_session_routing.sessions.recovered': '{session}',
      'mcp_session_routing.store.operation.duration': 's',
      'mcp_session_routing.store.failures': '{failure}',
      'mcp_session_routing.store.unusable_records': '{record}',
      'mcp_session_routing.cache.lookups': '{lookup}',
      'mcp_session_routing.cache.sessions': '{session}',
      'mcp_session_routing.streams': '{stream}',
      'mcp_session_routing.unread_answers': '{answer}',
      'mcp_session_routing.backend.status': '{backend}',
      'mcp_session_routing.backend.requests': '{request}',
      'mcp_session_routing.backend.streams': '{stream}',
      'mcp_session_routing.backend.sessions.opened': '{session}',
    });
  });

  test('of several middlewares is added up', async () => {
    const { observed, points } = metered();
    const [one, other] = [observed(), observed()];
    one.opened(KEY, 'http://a');
    other.opened(KEY, 'http://a');
    other.ended(KEY, 'lost');
    expect(await points('sessions.opened')).toEqual([[{}, 2]]);
    expect(await points('streams')).toEqual([[{}, 6]]);
    expect(await points('sessions.ended')).toContainEqual([
      { 'mcp_session_routing.reason': 'lost' },
      1,
    ]);
  });

  test('of a middleware that was closed stays counted, and nothing is open there any more', async () => {
    const { observed, points } = metered();
    let backends: readonly BackendInfo[] = [A];
    const [one, other] = [observed(() => backends), observed()];
    one.opened(KEY, 'http://a');
    expect(await points('backend.requests')).toEqual([
      [{ 'mcp_session_routing.backend': 'http://a' }, 2],
    ]);
    backends = [{ ...A, opened: 7 }];
    one.closed();
    one.closed();
    other.opened(KEY, 'http://a');
    expect(await points('sessions.opened')).toEqual([[{}, 2]]);
    expect(await points('streams')).toEqual([[{}, 3]]);
    expect(await points('backend.requests')).toEqual([
      [{ 'mcp_session_routing.backend': 'http://a' }, 0],
    ]);
    // What was opened since the last export too.
    expect(await points('backend.sessions.opened')).toEqual([
      [{ 'mcp_session_routing.backend': 'http://a' }, 7],
    ]);
  });

  test('of a backend is the one state that it is in, and none once it is gone', async () => {
    const { observed, points } = metered();
    let backends: readonly BackendInfo[] = [A];
    observed(() => backends);
    const status = async (): Promise<Record<string, unknown>> =>
      Object.fromEntries(
        (await points('backend.status')).map(([attributes, value]) => [
          Reflect.get(attributes, 'mcp_session_routing.state'),
          value,
        ]),
      );
    expect(await status()).toEqual({ up: 1, down: 0, draining: 0 });
    backends = [{ ...A, state: 'down' }];
    expect(await status()).toEqual({ up: 0, down: 1, draining: 0 });
    backends = [];
    await status();
    expect(await status()).toEqual({ up: 0, down: 0, draining: 0 });
  });

  test('of the store is how long it took, and whether it failed', async () => {
    const { observed, points } = metered();
    const observers = observed();
    observers.stored('read', 20, undefined);
    observers.stored('read', 1000, 'timeout');
    observers.stored('create', 4, 'error');
    const operation = 'mcp_session_routing.operation';
    expect(await points('store.operation.duration')).toEqual([
      [{ [operation]: 'read' }, expect.objectContaining({ count: 1, sum: 0.02 })],
      [{ [operation]: 'read', 'error.type': 'timeout' }, expect.objectContaining({ count: 1 })],
      [{ [operation]: 'create', 'error.type': '_OTHER' }, expect.objectContaining({ count: 1 })],
    ]);
  });
});

describe('openTelemetry', () => {
  test('costs nothing but a look where no SDK is registered', () => {
    const observer = openTelemetry().observe({
      stats: () => {
        throw new Error('nobody has asked');
      },
      backends: () => [],
    });
    observer.stored?.('read', 1, undefined);
    expect(observer.requested?.({ headers: {} } as never)).toBeUndefined();
  });

  test.each([
    [5, 'the options must be an object'],
    [
      { meterprovider: 1 },
      'option "meterprovider" is not an option, did you mean "meterProvider"?',
    ],
    [{ meterProvider: {} }, '"meterProvider" must be one, with getMeter'],
  ])('refuses %p', (options, message) => {
    expect(() => openTelemetry(options as object)).toThrow(message);
    expect(() => openTelemetry(options as object)).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    );
  });
});
