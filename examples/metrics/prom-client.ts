import { Counter, Gauge, Registry } from 'prom-client';
import type { McpSessionRouting } from '../../src/index.ts';

type Point = [value: number, labels?: Record<string, string>];

/** A registry for prom-client that asks `sessions` whenever it is scraped. */
export function registryOf(sessions: McpSessionRouting): Registry {
  const registry = new Registry();
  const { backends } = sessions;

  function counter(name: string, help: string, labelNames: string[], read: () => Point[]): void {
    const collect = function collect(this: Counter): void {
      this.reset();
      for (const [value, labels = {}] of read()) this.inc(labels, value);
    };
    const options = { name: `mcp_session_routing_${name}`, help, labelNames, registers: [] };
    registry.registerMetric(new Counter({ ...options, collect }));
  }

  function gauge(name: string, help: string, labelNames: string[], read: () => Point[]): void {
    const collect = function collect(this: Gauge): void {
      this.reset();
      for (const [value, labels = {}] of read()) this.set(labels, value);
    };
    const options = { name: `mcp_session_routing_${name}`, help, labelNames, registers: [] };
    registry.registerMetric(new Gauge({ ...options, collect }));
  }

  const each = (label: string, counts: Readonly<Record<string, number>>): Point[] =>
    Object.entries(counts).map(([name, count]) => [count, { [label]: name }]);
  const now = () => sessions.stats();

  counter('decisions_total', 'Requests by how they were routed', ['decision'], () =>
    each('decision', now().decisions),
  );
  counter('refusals_total', 'Requests answered in place of a backend', ['reason'], () =>
    each('reason', now().refused),
  );
  counter('sessions_opened_total', 'Sessions opened', [], () => [[now().opened]]);
  counter('sessions_ended_total', 'Sessions that are over', ['reason'], () =>
    each('reason', now().endedBy),
  );
  counter('sessions_lost_total', 'Sessions lost with their backend', [], () => [[now().lost]]);
  counter('sessions_recovered_total', 'Lost sessions opened anew', [], () => [[now().recovered]]);
  counter('cache_lookups_total', 'Sessions looked for in the cache', ['result'], () =>
    each('result', { hit: now().cacheHits, miss: now().cacheMisses }),
  );
  gauge('streams', 'Event streams that are open', [], () => [[now().streams]]);
  gauge('backend_status', 'Backends by state', ['backend', 'state'], () =>
    backends.list().map(({ url, state }) => [1, { backend: url, state }]),
  );
  gauge('backend_requests', 'Requests that a backend works on', ['backend'], () =>
    backends.list().map(({ url, requests }) => [requests, { backend: url }]),
  );

  // What prom-client calls a histogram counts by itself; histogram_quantile() takes these as well.
  const store = 'store_operation_duration_seconds';
  const times = () => Object.entries(now().store);
  counter(`${store}_bucket`, 'How long the store took', ['operation', 'le'], () =>
    times().flatMap(([operation, { buckets }]) =>
      buckets.map(({ le, count }): Point => [
        count,
        { operation, le: le === Infinity ? '+Inf' : `${le}` },
      ]),
    ),
  );
  counter(`${store}_sum`, 'How long the store took', ['operation'], () =>
    times().map(([operation, { seconds }]) => [seconds, { operation }]),
  );
  counter(`${store}_count`, 'What the store was asked', ['operation'], () =>
    times().map(([operation, { count }]) => [count, { operation }]),
  );
  counter('store_failures_total', 'Failures of the store', [], () => [[now().storeFailures]]);
  return registry;
}
