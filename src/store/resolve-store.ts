import { isObject } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { isThenable } from './deadline.ts';
import { ExpressSessionAdapter, type ExpressSessionStore } from './express-session-store.ts';
import { MapStore } from './map-store.ts';
import { MemoryStore } from './memory-store.ts';
import { isRedisClient, type RedisClient } from './redis-client.ts';
import { RedisStore } from './redis-store.ts';
import type { SessionStore } from './session-store.ts';

/** What `mcpSessionRouting` takes as its store. */
export type StoreLike =
  | SessionStore
  | ExpressSessionStore
  | RedisClient
  | Map<string, unknown>
  | null
  | undefined;

export interface ResolvedStore {
  readonly store: SessionStore;
  /** Reading costs a round trip: a cache in front of it pays. */
  readonly remote: boolean;
}

/** Makes a store of what the user gave, or throws and names the remedy. */
export function resolveStore(given: unknown): ResolvedStore {
  if (given === undefined || given === null) return { store: new MemoryStore(), remote: false };
  if (given instanceof MemoryStore) return { store: given, remote: false };
  if (given instanceof Map) return { store: new MapStore(given), remote: false };
  if (isRedisClient(given)) return { store: new RedisStore({ client: given }), remote: true };
  // node-redis clients have a `destroy` too.
  if (hasVerbs(given, 'get', 'set', 'destroy') && !isNodeRedis(given)) {
    return { store: new ExpressSessionAdapter(given as ExpressSessionStore), remote: true };
  }
  if (hasVerbs(given, 'get', 'set', 'delete')) {
    refuseUnusableVerbs(given);
    return { store: given as SessionStore, remote: true };
  }
  throw new SessionRoutingError('invalid_store', `mcpSessionRouting(store): ${remedyFor(given)}`);
}

const OPTIONAL_VERBS = [
  ...['getWithExpiry', 'create', 'replace', 'touch', 'subscribe', 'probe', 'close'],
] as const satisfies (keyof SessionStore)[];

/** Names that tell options from a store; some of them are enough. */
const OPTIONS = [
  ...[
    'backends',
    'balance',
    'health',
    'recover',
    'sse',
    'affinity',
    'eraTtl',
    'ttl',
    'endedTtl',
    'unknownSessionStatus',
    'cache',
    'storeTimeout',
  ],
  ...['principal', 'allowedOrigins', 'secret', 'self'],
  ...['maxBodySize', 'lostSession', 'lostAfter', 'skip', 'handler', 'logger', 'on'],
  ...['telemetry', 'debug'],
];

function hasVerbs(value: unknown, ...verbs: string[]): value is object {
  return isObject(value) && verbs.every((verb) => typeof Reflect.get(value, verb) === 'function');
}

function remedyFor(given: unknown): string {
  if (typeof given === 'string' || given instanceof URL) {
    return 'an address is not a store; pass new Redis(url, recommendedRedisOptions) of ioredis';
  }
  if (isThenable(given)) return 'the store is a promise; await it first';
  if (typeof given === 'function')
    return 'the store is a function or a class; pass an instance of it';
  if (isNodeRedis(given)) {
    return 'a node-redis client is not a store; wrap it: new RedisStore({ client }) of connect-redis >= 9';
  }
  if (looksLikeOptions(given)) {
    return 'these look like options; they are the second argument: mcpSessionRouting(null, { ... })';
  }
  return (
    `a store has get(id), set(id, record, ttl) and delete(id); got ${describe(given)}. ` +
    'Leave it out for memory, or pass an ioredis client, an express-session store, or a Map'
  );
}

function isNodeRedis(given: unknown): boolean {
  return hasVerbs(given, 'get', 'set', 'sendCommand');
}

function looksLikeOptions(given: unknown): boolean {
  const names = isObject(given) ? Object.keys(given) : [];
  return names.length > 0 && names.every((name) => OPTIONS.includes(name));
}

/** A verb that is there is used: that it is none must show now, not in a request. */
function refuseUnusableVerbs(given: object): void {
  for (const verb of OPTIONAL_VERBS) {
    const value: unknown = Reflect.get(given, verb);
    if (value === undefined || typeof value === 'function') continue;
    throw new SessionRoutingError(
      'invalid_store',
      `mcpSessionRouting(store): "${verb}" of the store must be a function; leave it out if the store has none`,
    );
  }
}

function describe(given: unknown): string {
  if (!(given instanceof Object)) return typeof given;
  return `an object with ${Object.keys(given).slice(0, 8).join(', ') || 'no members'}`;
}
