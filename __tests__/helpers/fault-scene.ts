import { Redis, type Cluster, type RedisOptions } from 'ioredis';
import { recommendedRedisOptions, RedisStore } from '../../src/index.ts';
import type { RedisClient } from '../../src/store/redis-client.ts';
import { onCleanup } from './cleanup.ts';
import { FULL } from './fault-size.ts';
import { gateway, type Gateway } from './gateway.ts';
import { openSession } from './mcp-client.ts';
import { scriptedBackends, type ScriptedBackend } from './scripted-backend.ts';

/** How many sessions a test opens before it breaks something. */
export const SESSIONS = FULL ? 300 : 30;

/** What the project promises, in milliseconds. */
export const REFUSED_WITHIN = 1500;
export const HEALED_WITHIN = 5000;

export interface Scene {
  readonly backends: readonly ScriptedBackend[];
  /** Has opened the sessions, and has them in its cache. */
  readonly warm: Gateway;
  /** Has no cache: asks its store with each request. */
  readonly cold: Gateway;
  readonly sessions: readonly string[];
}

/** Two gateways with a client each, in front of three backends. */
export async function sceneOn(
  connect: () => RedisClient,
  { minReplicas = 0, sessions = SESSIONS } = {},
): Promise<Scene> {
  const backends = await scriptedBackends(3);
  const warm = await gatewayOn(connect(), backends, { minReplicas });
  const cold = await gatewayOn(connect(), backends, { minReplicas, cache: false });
  await Promise.all([warm.sessions.ready(), cold.sessions.ready()]);
  const ids = await Promise.all(Array.from({ length: sessions }, () => openSession(warm)));
  return { backends, warm, cold, sessions: ids };
}

export async function gatewayOn(
  client: RedisClient,
  backends: readonly ScriptedBackend[],
  settings: { readonly minReplicas?: number; readonly cache?: false } = {},
): Promise<Gateway> {
  const { minReplicas = 0, cache } = settings;
  const options = {
    backends: backends.map(({ origin }) => origin),
    ...(cache === false && { cache }),
  };
  return gateway({ store: new RedisStore({ client, minReplicas }), options });
}

/** A client as the documentation recommends it. */
export function connectTo(url: string, options: Omit<RedisOptions, 'replyMapping'> = {}): Redis {
  const client = new Redis(url, { ...recommendedRedisOptions, ...options });
  return released(client);
}

/** Keeps a client quiet, and ends it after the test. */
export function released<Client extends Redis | Cluster>(client: Client): Client {
  client.on('error', () => {});
  // To disconnect a client that has ended leaves a timer of two seconds behind.
  onCleanup(() => client.status === 'end' || client.disconnect());
  return client;
}
