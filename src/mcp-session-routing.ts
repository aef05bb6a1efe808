import type { IncomingMessage } from 'node:http';
import type { Request, Response } from 'express';
import { Backends } from './backends/backends.ts';
import { controlOf } from './backends/control.ts';
import { Outages } from './backends/outages.ts';
import { Traffic } from './backends/traffic.ts';
import { counting } from './counters.ts';
import { callerBy } from './http/callers.ts';
import { discoverEra } from './http/discover-era.ts';
import { forgetAtBackend } from './http/forget-at-backend.ts';
import { createGuard, type Guard } from './http/guard.ts';
import { LiveStreams } from './http/live-streams.ts';
import { openAtBackend } from './http/open-at-backend.ts';
import { foreignTo } from './http/origins.ts';
import { routedRequestOf, type Connections } from './http/routed-request.ts';
import type { Surroundings } from './http/surroundings.ts';
import type { CloseOptions, McpSessionRouting, RouteInfo } from './members.ts';
import { Observers } from './observers.ts';
import type { McpSessionRoutingOptions } from './options.ts';
import { ENDPOINT_PARAMS } from './protocol/endpoint.ts';
import { isSessionId } from './protocol/session-id.ts';
import { replicaHop } from './proxy/forward/replica-hop.ts';
import { replicaOf } from './proxy/forward/replica.ts';
import { reporterOf } from './reporter.ts';
import { EraFinder } from './routing/era-finder.ts';
import { keyOf, keyOfStream } from './routing/keys.ts';
import { Places } from './routing/places.ts';
import { recoveryOf } from './routing/recovery-option.ts';
import { SessionRouting } from './routing/session-routing.ts';
import { astray, selfOf } from './self-setting.ts';
import { settingsOf } from './settings.ts';
import type { Stats } from './stats.ts';
import type { StatusPageOptions } from './status/options.ts';
import { StatusPages } from './status/status-page.ts';
import { LocalCache } from './store/local-cache.ts';
import { resolveStore, type StoreLike } from './store/resolve-store.ts';
import { SessionDirectory } from './store/session-directory.ts';
import { FIRST_TTL } from './store/session-times.ts';
import { signedStore } from './store/signed-store.ts';
import { noIfItThrows, warn, yesOrNo } from './store/user-code.ts';

/**
 * Sends every request of an MCP session to the backend that opened it. Mount it before the proxy.
 *
 * @param store left out or `null`: memory, for one process; an ioredis client or a store for many
 * @throws {SessionRoutingError} `invalid_option`, `invalid_store`, with the remedy in the message
 * @example
 * app.use(mcpSessionRouting(new Redis(url, recommendedRedisOptions), { backends }));
 * app.all('/mcp', createProxyMiddleware({ router: sessionRouter, plugins: [sessionPlugin] }));
 */
export function mcpSessionRouting(
  store?: StoreLike,
  options: McpSessionRoutingOptions<Request, Response> = {},
): McpSessionRouting {
  const settings = settingsOf(options);
  const resolved = resolveStore(store);
  const secrets = [settings.secret ?? []].flat();
  const self = selfOf(settings, resolved.remote);
  // Nobody else can write to the memory of this process.
  const records =
    secrets.length === 0 || !resolved.remote
      ? resolved.store
      : signedStore(resolved.store, secrets);
  const now = (): number => performance.now();
  const observers = new Observers();
  const { counters, decisions, observer } = counting();
  observers.add(observer);
  observers.add(reporterOf(settings, now));
  const traffic = new Traffic();
  const connections = new Set<Connections>();
  const { backends: source, balance, health, eraTtl } = settings;
  const backends =
    source === undefined
      ? undefined
      : new Backends(source, {
          ...{ balance, health, eraTtl, traffic, now },
          onDown: (origin) => observers.backendDown(origin),
          onUp: (origin) => observers.backendUp(origin),
          onUnlisted: (error) => observers.discoveryFailed(error),
          onRemoved: (origin) => {
            traffic.endStreams(origin);
            for (const each of connections) each.leave(origin);
          },
        });
  const cache = resolved.remote && settings.cache ? new LocalCache(settings.cache) : undefined;
  const directory: SessionDirectory = new SessionDirectory(
    records,
    {
      ...{ ...settings, cache, now },
      onAnswer: (verb, duration, failure) => observers.stored(verb, duration, failure),
      onFailure: (error, during) => observers.storeFailed(error, during),
      bound: settings.principal !== undefined,
      beside: {
        refreshed: (key) => recovery?.refreshed(key),
        ended: (key) => recovery?.ended(key),
      },
    },
    (key, reason) => {
      streams.end(key);
      observers.ended(key, reason);
    },
  );
  const streams = new LiveStreams(
    (key, isUse) => directory.lookup(key, isUse),
    Math.min(settings.ttl, FIRST_TTL) / 10,
  );
  const { lostAfter } = settings;
  const signed = secrets.length > 0;
  const places = new Places({ backends, self, signed, outages: new Outages(now), lostAfter });
  const proxy: Surroundings['proxy'] = { manner: { secure: true, changeOrigin: false } };
  const recovery = recoveryOf(settings.recover, records, {
    ...{ directory, places },
    open: (opening) => openAtBackend(opening, proxy.manner),
    forget: ({ origin, path, req }, sessionId) =>
      forgetAtBackend(origin, { path, ...proxy.manner }, sessionId, req.headers),
    onRecovered: (key, backend) => observers.recovered(key, backend),
  });
  const routing = new SessionRouting({
    directory,
    places,
    recovery,
    eraFinder: new EraFinder({
      // Which replica takes a request without a session is not for this one to choose.
      backends: self ? undefined : backends,
      ask: (origin, path, req) => discoverEra(origin, path, req, proxy.manner),
    }),
    lostSession: settings.lostSession && noIfItThrows(yesOrNo('lostSession', settings.lostSession)),
    onOpened: (key, backend) => observers.opened(key, backend),
  });
  const guard: Guard<Request, Response> = createGuard<Request, Response>({
    routing,
    streams,
    traffic,
    connections,
    proxy,
    recovers: recovery !== undefined,
    servesItself: self !== undefined,
    sseParams: paramsOf(settings.sse),
    tasks: settings.affinity?.tasks === true,
    onUnreadAnswer: () => observers.unreadAnswer(),
    skip: settings.skip && yesOrNo('skip', settings.skip),
    isForeign: settings.allowedOrigins && foreignTo(settings.allowedOrigins),
    callerOf: settings.principal && callerBy(settings.principal),
    handler: settings.handler,
    unknownSessionStatus: settings.unknownSessionStatus,
    maxBodySize: settings.maxBodySize,
    onRefused: (reason, key) => observers.refused(reason, key),
    debug: settings.debug === true,
    decisions,
    watch: (req, res) => observers.watch(req, res),
  });

  const control = controlOf(backends, traffic);
  const stats = (): Stats => {
    const { hits: cacheHits, misses: cacheMisses } = directory.lookups;
    const now = { streams: streams.size, cached: cache?.size ?? 0 };
    return { ...counters(), cacheHits, cacheMisses, ...now };
  };
  const { telemetry } = settings;
  if (telemetry) observers.add(telemetry.observe({ stats, backends: () => control.list() }));
  const status = new StatusPages({
    ...{ ...control, stats, backends: () => backends?.status() ?? [] },
    observe: (observer) => observers.add(observer),
  });

  const replica =
    self &&
    replicaOf(guard, {
      self,
      hop: replicaHop(secrets, Date.now),
      onAstray: (owner) => warn(astray(owner)),
    });
  return Object.assign(replica?.middleware ?? guard, {
    isForwarded: (req: IncomingMessage) => replica?.isForwarded(req) ?? false,
    backends: control,
    routeOf(req: IncomingMessage): RouteInfo | undefined {
      const routed = routedRequestOf(req);
      if (!routed || routed.refusal) return undefined;
      const { route } = routed;
      const session = route.kind === 'pinned' ? route.key.slice(0, 12) : undefined;
      return { kind: route.kind, backendUrl: route.backendUrl, session };
    },
    async end(sessionId: string): Promise<boolean> {
      // Callers without types may have lost the id: what has none has no session.
      if (typeof sessionId !== 'string' || !isSessionId(sessionId)) return false;
      if (await directory.endNow(keyOf(sessionId), 'called')) return true;
      return settings.sse ? directory.endNow(keyOfStream(sessionId), 'called') : false;
    },
    stats,
    statusPage: (options: StatusPageOptions<Request, Response>) => status.page(options),
    async ready(): Promise<void> {
      await Promise.all([directory.ready(), backends?.ready()]);
    },
    async close({ drain = 0 }: CloseOptions = {}): Promise<void> {
      status.close();
      if (drain > 0) {
        routing.stopOpening();
        traffic.endStreams();
        await traffic.idle(undefined, drain);
      }
      streams.close();
      backends?.close();
      for (const each of connections) each.destroy();
      await directory.close();
      observers.closed();
    },
  });
}

function paramsOf(sse: McpSessionRoutingOptions['sse']): readonly string[] {
  if (typeof sse === 'object') return sse.params;
  return sse === true ? ENDPOINT_PARAMS : [];
}
