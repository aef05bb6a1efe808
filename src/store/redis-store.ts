import { isObject, shown, strayOf } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { ENDED, isSameSession, readRecord, SESSION, type SessionRecord } from './record.ts';
import { isRedisClient, type RedisClient } from './redis-client.ts';
import { RedisReads } from './redis-reads.ts';
import { CHANGED, hearEndings } from './redis-subscription.ts';
import { ReplicatedWrites } from './replicated-writes.ts';
import type { EndedListener, SessionStore, StoredRecord } from './session-store.ts';

export interface RedisStoreOptions {
  /** An ioredis `Redis` or `Cluster`; see {@link recommendedRedisOptions} for options that fail fast. */
  readonly client: RedisClient;
  /**
   * In front of every key, and of the channel that tells of ended sessions.
   * @default 'mcp-session:'
   */
  readonly prefix?: string;
  /**
   * How many replicas must have a session before its id is let out, and before its end is reported. If they have
   * it not within 200 ms the request gets 503.
   * @default 0
   */
  readonly minReplicas?: number;
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
  readonly #reads: RedisReads;
  readonly #replicated: ReplicatedWrites | undefined;
  #listeners = 0;
  readonly probe?: () => Promise<unknown>;

  /** @throws {SessionRoutingError} `invalid_store` */
  constructor(options: RedisStoreOptions) {
    if (!isObject(options) || isRedisClient(options)) {
      throw invalid('pass an ioredis client as an option: new RedisStore({ client })');
    }
    const { client, prefix = 'mcp-session:', minReplicas = 0 } = options;
    if (!isRedisClient(client)) {
      throw invalid(
        '"client" must be an ioredis Redis or Cluster; for node-redis use connect-redis >= 9',
      );
    }
    const stray = strayOf(options, ['client', 'prefix', 'minReplicas']);
    if (stray) throw invalid(`"${stray.name}" ${stray.remedy}`);
    if (typeof prefix !== 'string')
      throw invalid(`"prefix" must be a string, got ${shown(prefix)}`);
    if (!Number.isSafeInteger(minReplicas) || minReplicas < 0) {
      throw invalid(
        `"minReplicas" must be a whole number, got ${shown(minReplicas)}; give 0 to wait for none`,
      );
    }
    this.#client = client;
    this.#prefix = prefix;
    this.#reads = new RedisReads(client);
    if (minReplicas === 0) return;
    const replicated = new ReplicatedWrites(client, minReplicas);
    this.#replicated = replicated;
    this.probe = () => Promise.all([this.get(''), replicated.probe()]);
  }

  async get(id: string): Promise<unknown> {
    return (await this.getWithExpiry(id))?.record;
  }

  async getWithExpiry(id: string): Promise<StoredRecord | undefined> {
    const [get, ttl] = await this.#reads.read(this.#prefix + id);
    const [error, value] = get ?? [];
    const [pttlError, pttl] = ttl ?? [];
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
    const key = this.#prefix + id;
    const value = JSON.stringify(record);
    const ms = wholeMs(ttl);
    if (!this.#replicated) {
      return (await this.#client.call('SET', key, value, 'PX', ms, 'NX')) === 'OK';
    }
    if (await this.#replicated.create(key, value, ms)) return true;
    // It may be our own: of a write whose reply was lost, or which too few replicas had in time.
    const present = readRecord(await this.get(id), record[SESSION]);
    if (present.kind === 'live' && isSameSession(present.record, record)) {
      await this.#replicated.confirm(key, ms);
    }
    return false;
  }

  async replace(id: string, record: SessionRecord, ttl: number, version: number): Promise<boolean> {
    const channel = this.#channel;
    const message = record[ENDED] ? id : CHANGED + id;
    const key = this.#prefix + id;
    const value = JSON.stringify(record);
    const args = [version, value, wholeMs(ttl), channel, message];
    const reply = await this.#client.call('EVAL', REPLACE, 1, key, ...args);
    // With ioredis' `stringNumbers` it is a string.
    const replaced = Number(reply) === 1;
    if (replaced) await this.#replicated?.confirm(key, wholeMs(ttl));
    return replaced;
  }

  async touch(id: string, ttl: number): Promise<void> {
    await this.#client.call('PEXPIRE', this.#prefix + id, wholeMs(ttl));
  }

  subscribe(listener: EndedListener): () => void {
    // ioredis' own resubscribing leaves its failure unhandled, which would end the process.
    const subscriber = this.#client.isCluster
      ? this.#client.duplicate()
      : this.#client.duplicate({ autoResubscribe: false });
    this.#replicated?.open();
    this.#listeners += 1;
    const noticesGaps = !this.#client.isCluster;
    const stop = hearEndings(subscriber, this.#channel, listener, noticesGaps, () => this.#test());
    return () => {
      this.#listeners -= 1;
      stop();
    };
  }

  /**
   * A master that is frozen, and replaced meanwhile, still takes itself for one when it goes on. A connection on
   * which nothing was asked in the meantime would lead to it, where newer sessions are unknown: asking something
   * lets `socketTimeout` close that.
   */
  #test(): void {
    this.#client.call('PING').catch(() => {});
    this.#replicated?.probe().catch(() => {});
  }

  /** Of several gateways on one store the last one counts. */
  close(): void {
    if (this.#listeners === 0) this.#replicated?.close();
  }

  get #channel(): string {
    return `${this.#prefix}ended`;
  }
}

function invalid(remedy: string): SessionRoutingError {
  return new SessionRoutingError('invalid_store', `RedisStore: ${remedy}`);
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
