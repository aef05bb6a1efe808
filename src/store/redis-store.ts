import { isObject, shown, strayOf } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { ENDED, type SessionRecord } from './record.ts';
import { CHANGED, hearEndings, type RedisSubscriber } from './redis-subscription.ts';
import type { EndedListener, SessionStore, StoredRecord } from './session-store.ts';

/** What is used of an ioredis `Redis` or `Cluster` (5 or 6). */
export interface RedisClient {
  readonly isCluster?: boolean;
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  pipeline(commands: unknown[][]): { exec(): Promise<[Error | null, unknown][] | null> };
  duplicate(override?: object): RedisSubscriber;
}

export interface RedisStoreOptions {
  /** An ioredis `Redis` or `Cluster`; see {@link recommendedRedisOptions} for options that fail fast. */
  readonly client: RedisClient;
  /**
   * In front of every key, and of the channel that tells of ended sessions.
   * @default 'mcp-session:'
   */
  readonly prefix?: string;
}

/** What PTTL answers for a key that is not there, and for one that never expires. */
const NO_KEY = -2;
const NO_EXPIRY = -1;
/** A longer value is none of ours, and is not parsed (characters). */
const LONGEST_RECORD = 16 * 1024;

// KEYS[1] record; ARGV: expected version, new record, ttl in ms, channel, message
const REPLACE = `
local present = redis.call('GET', KEYS[1])
if not present then return 0 end
local ok, record = pcall(cjson.decode, present)
if not ok or type(record) ~= 'table' or record['version'] ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1`;

/**
 * Sessions in Redis, for any number of gateways. One key a session, `SET NX` to create, one round trip to read;
 * a Lua script only to end a session. Works with Cluster and Sentinel clients.
 */
export class RedisStore implements SessionStore {
  readonly #client: RedisClient;
  readonly #prefix: string;

  /** @throws {SessionRoutingError} `invalid_store` */
  constructor(options: RedisStoreOptions) {
    if (!isObject(options) || isRedisClient(options)) {
      throw invalid('pass an ioredis client as an option: new RedisStore({ client })');
    }
    const { client, prefix = 'mcp-session:' } = options;
    if (!isRedisClient(client)) {
      throw invalid(
        '"client" must be an ioredis Redis or Cluster; for node-redis use connect-redis >= 9',
      );
    }
    const stray = strayOf(options, ['client', 'prefix']);
    if (stray) throw invalid(`"${stray.name}" ${stray.remedy}`);
    if (typeof prefix !== 'string')
      throw invalid(`"prefix" must be a string, got ${shown(prefix)}`);
    this.#client = client;
    this.#prefix = prefix;
  }

  async get(id: string): Promise<unknown> {
    return (await this.getWithExpiry(id))?.record;
  }

  async getWithExpiry(id: string): Promise<StoredRecord | undefined> {
    const key = this.#prefix + id;
    const replies = await this.#client
      .pipeline([
        ['get', key],
        ['pttl', key],
      ])
      .exec();
    const [error, value] = replies?.[0] ?? [];
    const [pttlError, pttl] = replies?.[1] ?? [];
    // A key of another type is no outage: nobody will ever read a record there.
    if (error?.message.startsWith('WRONGTYPE'))
      return { record: error.message, expiresIn: Infinity };
    if (error ?? pttlError) throw error ?? pttlError;
    const remaining = typeof pttl === 'number' || typeof pttl === 'string' ? Number(pttl) : NaN;
    if (remaining === NO_KEY && (value === null || typeof value === 'string')) return undefined;
    // Only "there is no key" means so. Replies that do not fit together belong to other commands.
    if (typeof value !== 'string' || !(remaining >= NO_EXPIRY)) {
      throw new Error('the replies of Redis do not fit the commands');
    }
    return { record: parse(value), expiresIn: remaining === NO_EXPIRY ? Infinity : remaining };
  }

  async set(id: string, record: SessionRecord, ttl: number): Promise<void> {
    await this.#client.call('SET', this.#prefix + id, JSON.stringify(record), 'PX', wholeMs(ttl));
  }

  async delete(id: string): Promise<void> {
    await this.#client.call('DEL', this.#prefix + id);
  }

  async create(id: string, record: SessionRecord, ttl: number): Promise<boolean> {
    const value = JSON.stringify(record);
    const reply = await this.#client.call(
      'SET',
      this.#prefix + id,
      value,
      'PX',
      wholeMs(ttl),
      'NX',
    );
    return reply === 'OK';
  }

  async replace(id: string, record: SessionRecord, ttl: number, version: number): Promise<boolean> {
    const channel = this.#channel;
    const message = record[ENDED] ? id : CHANGED + id;
    const key = this.#prefix + id;
    const value = JSON.stringify(record);
    const args = [version, value, wholeMs(ttl), channel, message];
    // With ioredis' `stringNumbers` it is a string.
    return Number(await this.#client.call('EVAL', REPLACE, 1, key, ...args)) === 1;
  }

  async touch(id: string, ttl: number): Promise<void> {
    await this.#client.call('PEXPIRE', this.#prefix + id, wholeMs(ttl));
  }

  subscribe(listener: EndedListener): () => void {
    // ioredis' own resubscribing leaves its failure unhandled, which would end the process.
    const subscriber = this.#client.isCluster
      ? this.#client.duplicate()
      : this.#client.duplicate({ autoResubscribe: false });
    return hearEndings(subscriber, this.#channel, listener, !this.#client.isCluster);
  }

  get #channel(): string {
    return `${this.#prefix}ended`;
  }
}

function invalid(remedy: string): SessionRoutingError {
  return new SessionRoutingError('invalid_store', `RedisStore: ${remedy}`);
}

/** Whether the value looks like an ioredis `Redis` or `Cluster`. */
export function isRedisClient(value: unknown): value is RedisClient {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['call', 'pipeline', 'duplicate', 'defineCommand'].every(
      (name) => typeof Reflect.get(value, name) === 'function',
    )
  );
}

function parse(value: string): unknown {
  if (value.length > LONGEST_RECORD) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function wholeMs(ttl: number): number {
  return Math.max(1, Math.round(ttl));
}
