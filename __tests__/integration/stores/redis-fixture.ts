import { createHash, randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import { recommendedRedisOptions, RedisStore } from '../../../src/index.ts';
import { LocalCache } from '../../../src/store/local-cache.ts';
import { newRecord, type SessionRecord } from '../../../src/store/record.ts';
import { SessionDirectory } from '../../../src/store/session-directory.ts';
import type { SessionStore } from '../../../src/store/session-store.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import { ACL_PASSWORD, ACL_USER } from '../../helpers/redis-acl.ts';

/** Options of a client that answers in the way of RESP2. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

export const TTL = 60_000;
export const ENDED_TTL = 600_000;
export const BACKEND = 'http://backend-1:8080';

/** The Redis user that is enough, unless the Redis is somebody else's. */
const MINIMAL: ClientOptions = process.env.REDIS_URL
  ? {}
  : { username: ACL_USER, password: ACL_PASSWORD };

/** A client as the documentation recommends it. */
export function connect(url: string, options: ClientOptions = {}): Redis {
  const client = new Redis(url, { ...recommendedRedisOptions, ...options });
  client.on('error', () => {});
  // To disconnect a client that has ended leaves a timer of two seconds behind.
  onCleanup(() => client.status === 'end' || client.disconnect());
  return client;
}

export async function ready(client: Redis): Promise<Redis> {
  await eventually(() => expect(client.status).toBe('ready'));
  return client;
}

export interface Gateway {
  /** As a user that may do what a gateway has to. */
  readonly client: Redis;
  /** As one that may do everything. */
  readonly admin: Redis;
  readonly store: RedisStore;
  readonly directory: SessionDirectory;
  readonly failures: { readonly during: string; readonly message: string }[];
  readonly ended: string[];
}

export interface GatewaySettings {
  readonly prefix?: string;
  /** `false`: no cache. */
  readonly cache?: false;
  readonly storeTimeout?: number;
  readonly client?: ClientOptions;
  readonly minReplicas?: number;
}

/** The store half of a gateway: its own connections, its own cache. */
export async function gatewayOn(url: string, settings: GatewaySettings = {}): Promise<Gateway> {
  const client = connect(url, { ...MINIMAL, ...settings.client });
  const { prefix = `test-${randomUUID()}:`, minReplicas = 0 } = settings;
  const store = new RedisStore({ client, prefix, minReplicas });
  const { failures, ended, directory } = directoryOn(store, settings);
  let admin: Redis | undefined;
  return {
    ...{ client, store, failures, ended, directory },
    get admin() {
      admin ??= connect(url, { enableOfflineQueue: true });
      return admin;
    },
  };
}

export function directoryOn(
  store: SessionStore,
  settings: GatewaySettings = {},
): Pick<Gateway, 'directory' | 'failures' | 'ended'> {
  const failures: { during: string; message: string }[] = [];
  const ended: string[] = [];
  const cacheOptions = { max: 1000, maxAge: 30_000, maxStale: 600_000 };
  const directory = new SessionDirectory(
    store,
    {
      ttl: TTL,
      endedTtl: ENDED_TTL,
      storeTimeout: settings.storeTimeout ?? 1000,
      cache: settings.cache === false ? undefined : new LocalCache(cacheOptions),
      now: () => performance.now(),
      onFailure: (error, during) =>
        void failures.push({ during, message: error instanceof Error ? error.message : '' }),
    },
    (key) => void ended.push(key),
  );
  onCleanup(() => directory.close());
  return { directory, failures, ended };
}

export interface TestSession {
  readonly id: string;
  readonly key: string;
  readonly record: SessionRecord;
}

export function newSession(backendUrl: string = BACKEND): TestSession {
  const id = randomUUID();
  const key = createHash('sha256').update(id).digest('hex');
  return { id, key, record: newRecord({ key, nonce: randomUUID(), backendUrl, path: '/mcp' }) };
}

/** Polls until the expectation holds; what it said last if it never does. */
export async function eventually<T>(expectation: () => T | Promise<T>, ms = 10_000): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      return await expectation();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Runs the action, and says how long it took (ms). */
export async function timed<T>(action: () => Promise<T> | T): Promise<[T, number]> {
  const startedAt = performance.now();
  const result = await action();
  return [result, performance.now() - startedAt];
}
