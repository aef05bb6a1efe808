import { randomBytes } from 'node:crypto';
import { SessionRoutingError } from '../protocol/errors.ts';
import { isThenable } from './deadline.ts';
import type { SessionRecord } from './record.ts';
import { isRedisClient } from './redis-client.ts';
import type { SessionStore } from './session-store.ts';

/** What is used of a store written for express-session. */
export interface ExpressSessionStore {
  get(id: string, callback: (error: unknown, session?: object | null) => void): unknown;
  set(id: string, session: never, callback: (error?: unknown) => void): unknown;
  destroy(id: string, callback: (error?: unknown) => void): unknown;
  touch?(id: string, session: never, callback: (error?: unknown) => void): unknown;
}

// Web sessions live in the same store under their own ids.
const PREFIX = 'mcp-session:';
/** How long a try that is not answered keeps others from trying (ms), and how long what it stores may stay (ms). */
const PROBE_PATIENCE = 2000;
const PROBE_TTL = 60_000;

type Verb = 'get' | 'set' | 'destroy' | 'touch';
type Callback<T> = (error: unknown, value?: T) => void;

/**
 * A store written for express-session (connect-redis and others). It has no verb that creates only what is
 * absent, so creating is a read and a write; and none that tells the remaining time, so an expired session
 * is answered like a never issued one.
 *
 * Such stores accept any client and fail later, so it is tried once: until it has given back what was stored,
 * nothing is stored in it, and that it has no session is not believed.
 */
export class ExpressSessionAdapter implements SessionStore {
  readonly #store: ExpressSessionStore;
  #works = false;
  #trial: { readonly outcome: Promise<void>; readonly staleAt: number } | undefined;

  constructor(store: ExpressSessionStore) {
    refuseMismatchedClient(store);
    this.#store = store;
  }

  async get(id: string): Promise<unknown> {
    const session = await this.#read(id);
    if (session === undefined) {
      await this.probe();
      return undefined;
    }
    const { cookie: _cookie, ...record } = { cookie: undefined, ...session };
    return record;
  }

  async set(id: string, record: SessionRecord, ttl: number): Promise<void> {
    await this.probe();
    await this.#call('set', PREFIX + id, { ...record, cookie: cookieFor(ttl) });
  }

  async delete(id: string): Promise<void> {
    await this.#call('destroy', PREFIX + id);
  }

  async touch(id: string, ttl: number): Promise<void> {
    // Some stores write the session they are given, so it has to be whole.
    const session = await this.#read(id);
    if (session === undefined) return;
    const verb = typeof this.#store.touch === 'function' ? 'touch' : 'set';
    await this.#call(verb, PREFIX + id, { ...session, cookie: cookieFor(ttl) });
  }

  async probe(): Promise<void> {
    if (this.#works) return;
    const now = performance.now();
    if (!this.#trial || now >= this.#trial.staleAt) {
      this.#trial = { outcome: this.#tryOut(), staleAt: now + PROBE_PATIENCE };
    }
    const { outcome } = this.#trial;
    try {
      await outcome;
    } finally {
      if (this.#trial?.outcome === outcome) this.#trial = undefined;
    }
  }

  async #tryOut(): Promise<void> {
    const id = `${PREFIX}probe-${randomBytes(16).toString('hex')}`;
    const value = randomBytes(16).toString('hex');
    await this.#attempt('set', id, { value, cookie: cookieFor(PROBE_TTL) });
    const found = await this.#attempt('get', id);
    await this.#attempt('destroy', id);
    this.#works ||= isObject(found) && Reflect.get(found, 'value') === value;
    if (this.#works) return;
    throw new Error(
      `${nameOf(this.#store)} does not work: "get" does not return what "set" has stored. ` +
        'Check it with express-session, or pass an ioredis client instead',
    );
  }

  async #attempt(verb: Verb, ...args: unknown[]): Promise<unknown> {
    try {
      return await this.#call(verb, ...args);
    } catch (cause) {
      const reason = messageOf(cause);
      const problem = `${nameOf(this.#store)} does not work: "${verb}" failed with "${reason}".`;
      throw new Error(`${problem} ${remedyFor(reason)}`, { cause });
    }
  }

  async #read(id: string): Promise<object | undefined> {
    const session = await this.#call('get', PREFIX + id);
    return isObject(session) ? session : undefined;
  }

  #call(verb: Verb, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const callback: Callback<unknown> = (error, value) => {
        // Of stores that keep files: no such session. express-session takes it so, too.
        if (verb === 'get' && isObject(error) && Reflect.get(error, 'code') === 'ENOENT') {
          resolve(undefined);
        } else if (error) {
          reject(error instanceof Error ? error : new Error(messageOf(error), { cause: error }));
        } else {
          resolve(value);
        }
      };
      const method: unknown = this.#store[verb];
      if (typeof method !== 'function') throw new TypeError(`the store has no "${verb}"`);
      // Some stores return a promise besides calling back: its failure is the callback's.
      const returned: unknown = Reflect.apply(method, this.#store, [...args, callback]);
      if (isThenable(returned)) returned.then(undefined, reject);
    });
  }
}

/** express-session takes the lifetime from the cookie; stores differ in which member they read. */
function cookieFor(ttl: number): object {
  return { maxAge: ttl, originalMaxAge: ttl, expires: new Date(Date.now() + ttl), path: '/' };
}

const CONNECT_REDIS =
  'use connect-redis 8.1 with ioredis, or connect-redis >= 9 with node-redis, or pass the ioredis client itself to ' +
  'mcpSessionRouting()';

function remedyFor(reason: string): string {
  return /syntax error|is not a function/i.test(reason)
    ? `If it is connect-redis: ${CONNECT_REDIS}`
    : 'It is tried again with the next request';
}

/** connect-redis >= 9 speaks to node-redis only. It wraps its client up to version 8, and awaits it since 7. */
function refuseMismatchedClient(store: ExpressSessionStore): void {
  const isConnectRedis = 'scanCount' in store && 'disableTTL' in store;
  const awaits = store.set.constructor.name === 'AsyncFunction';
  if (!isConnectRedis || !awaits || !isRedisClient(Reflect.get(store, 'client'))) return;
  throw new SessionRoutingError(
    'invalid_store',
    'this connect-redis needs a node-redis client, but was given ioredis (every "set" would fail with "ERR syntax ' +
      `error"): ${CONNECT_REDIS}`,
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Errors of another realm, or library, are not always instances of `Error`. */
function messageOf(error: unknown): string {
  return isObject(error) ? String(Reflect.get(error, 'message')) : String(error);
}

function nameOf(store: object): string {
  const maker: unknown = store.constructor;
  return `the express-session store ${typeof maker === 'function' ? maker.name : ''}`.trimEnd();
}
