export type { BackendInfo } from './backends/backend.ts';
export type { Balance } from './backends/balance.ts';
export type { BackendsControl } from './backends/control.ts';
export type { BackendDiscovery, BackendEntry, BackendSource } from './backends/discovery.ts';
export { dnsBackends, type DnsBackendsOptions } from './backends/dns-backends.ts';
export type { DnsResolver } from './backends/dns-question.ts';
export type { BackendEra } from './backends/eras.ts';
export type { RefusalHandler, RefusalInfo } from './http/exchange.ts';
export type { AllowedOrigins } from './http/origins.ts';
export {
  mcpSessionRouting,
  type CloseOptions,
  type McpSessionRouting,
  type RouteInfo,
} from './mcp-session-routing.ts';
export type { Counters } from './counters.ts';
export type { Logger, McpSessionRoutingOptions, SessionEvents } from './options.ts';
export { SessionRoutingError, type SessionRoutingErrorCode } from './protocol/errors.ts';
export type { Reason } from './protocol/reasons.ts';
export type { LostSessionInfo } from './routing/recovery.ts';
export type { SessionForwarderOptions } from './proxy/forward/options.ts';
export { sessionForwarder, type SessionForwarder } from './proxy/forward/session-forwarder.ts';
export { sessionPlugin } from './proxy/session-plugin.ts';
export { sessionRouter } from './proxy/session-router.ts';
export type { LostSession } from './routing/endings.ts';
export type { StatusAuth, StatusPageOptions } from './status/options.ts';
export type { DecisionKind } from './routing/kind.ts';
export type { StoreTimes } from './store-times.ts';
export type { Stats } from './stats.ts';
export type { CacheOptions } from './store/local-cache.ts';
export type { EndReason } from './store/end-reason.ts';
export { MemoryStore, type MemoryStoreOptions } from './store/memory-store.ts';
export { BACKEND_URL, type SessionRecord } from './store/record.ts';
export { recommendedRedisOptions, type RecommendedRedisOptions } from './store/redis-options.ts';
export { RedisStore, type RedisStoreOptions } from './store/redis-store.ts';
export type { StoreVerb } from './store/store-verb.ts';
export type { StoreLike } from './store/resolve-store.ts';
export type { Telemetry } from './telemetry.ts';
export type { EndedListener, SessionStore, StoredRecord } from './store/session-store.ts';
