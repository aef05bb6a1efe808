import { describe, expect, test } from '@jest/globals';
import { RedisStore as ConnectRedis8 } from 'connect-redis';
import { RedisStore as ConnectRedis10 } from 'connect-redis10';
import session from 'express-session';
import { Cluster, Redis } from 'ioredis';
import { createClient } from 'redis';
import {
  mcpSessionRouting,
  MemoryStore,
  RedisStore,
  type McpSessionRoutingOptions,
} from '../../../src/index.ts';
import { ExpressSessionAdapter } from '../../../src/store/express-session-store.ts';
import { MapStore } from '../../../src/store/map-store.ts';
import { resolveStore } from '../../../src/store/resolve-store.ts';

// Never connected: these tests look at what is made of them.
const ioredis = new Redis({ lazyConnect: true });
const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true });
const nodeRedis = createClient();
const threeVerbs = { get: () => undefined, set: () => undefined, delete: () => undefined };

describe('a store that is given as', () => {
  test.each([
    ['nothing', undefined, MemoryStore, false],
    ['null', null, MemoryStore, false],
    ['a MemoryStore', new MemoryStore(), MemoryStore, false],
    ['a Map', new Map(), MapStore, false],
    ['an ioredis client', ioredis, RedisStore, true],
    ['an ioredis Cluster', cluster, RedisStore, true],
    ['a RedisStore', new RedisStore({ client: ioredis }), RedisStore, true],
    ['express-session’s MemoryStore', new session.MemoryStore(), ExpressSessionAdapter, true],
    [
      'connect-redis 8 with ioredis',
      new ConnectRedis8({ client: ioredis }),
      ExpressSessionAdapter,
      true,
    ],
    [
      'connect-redis 10 with node-redis',
      new ConnectRedis10({ client: nodeRedis }),
      ExpressSessionAdapter,
      true,
    ],
  ])('%s is taken for what it is', (_what, given, type, remote) => {
    const resolved = resolveStore(given);
    expect(resolved.store).toBeInstanceOf(type);
    expect(resolved.remote).toBe(remote);
  });

  test('an object with three verbs is used as it is, behind a cache', () => {
    expect(resolveStore(threeVerbs)).toEqual({ store: threeVerbs, remote: true });
  });

  test('an instance of a class with three verbs is one, too', () => {
    class Store {
      get(): void {}
      set(): void {}
      delete(): void {}
    }
    expect(resolveStore(new Store()).remote).toBe(true);
  });
});

describe('what is no store is refused when the middleware is made, with the remedy:', () => {
  test.each<[string, unknown, RegExp]>([
    [
      'the address of a Redis',
      'redis://localhost:6379',
      /new Redis\(url, recommendedRedisOptions\)/,
    ],
    ['a URL', new URL('redis://localhost:6379'), /new Redis\(url, recommendedRedisOptions\)/],
    ['a promise', Promise.resolve(new Map()), /is a promise; await it/],
    ['a promise of another library', { then: () => undefined }, /is a promise; await it/],
    ['a class', MemoryStore, /pass an instance/],
    ['express-session itself', session, /pass an instance/],
    ['a node-redis client', nodeRedis, /new RedisStore\({ client }\) of connect-redis >= 9/],
    ['the options', { backends: ['http://localhost:8080'] }, /mcpSessionRouting\(null, {/],
    ['other options', { ttl: 1000, logger: console }, /mcpSessionRouting\(null, {/],
    [
      'an object without verbs',
      { a: 1, b: 2 },
      /get\(id\), set\(id, record, ttl\) and delete\(id\).*a, b/,
    ],
    ['an empty object', {}, /an object with no members/],
    [
      'two verbs of three',
      { ...threeVerbs, delete: undefined },
      /got an object with get, set, delete/,
    ],
    ['a number', 5, /got number/],
    ['a truth value', false, /got boolean.*Leave it out for memory, or pass an ioredis client/],
    [
      'much else',
      Object.fromEntries('abcdefghij'.split('').map((name) => [name, 1])),
      /an object with a, b, c, d, e, f, g, h\./,
    ],
    [
      'a store that has a member like an option',
      { ...threeVerbs, delete: 1, ttl: 5 },
      /got an obj/,
    ],
    ['a list', [], /an object with/],
  ])('%s', (_what, given, remedy) => {
    const make = (): unknown => mcpSessionRouting(given as null);
    expect(make).toThrow(remedy);
    expect(make).toThrow(
      expect.objectContaining({ code: 'invalid_store', name: 'SessionRoutingError' }),
    );
  });

  test.each(['getWithExpiry', 'create', 'replace', 'touch', 'subscribe', 'probe', 'close'])(
    'a verb that is none (%s)',
    (verb) => {
      const make = (): unknown => mcpSessionRouting({ ...threeVerbs, [verb]: true });
      expect(make).toThrow(`"${verb}" of the store must be a function`);
      expect(make).toThrow(expect.objectContaining({ code: 'invalid_store' }));
    },
  );

  test.each([
    ['ioredis', ioredis],
    ['an ioredis Cluster', cluster],
  ])('connect-redis 10 with %s', (_what, client) => {
    // Its types refuse the client, JavaScript does not.
    const store: unknown = Reflect.construct(ConnectRedis10, [{ client }]);
    const make = (): unknown => mcpSessionRouting(store as session.Store);
    expect(make).toThrow(
      /was given ioredis.*connect-redis 8\.1 with ioredis.*connect-redis >= 9 with node-redis.*the ioredis client itself/,
    );
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_store' }));
  });

  test.each<[string, unknown[], string]>([
    [
      'without an ioredis client',
      [{ client: nodeRedis }],
      '"client" must be an ioredis Redis or Cluster; for node-redis use connect-redis >= 9',
    ],
    ['of no client', [{ client: null }], '"client" must be an ioredis Redis or Cluster'],
    ['without options', [], 'pass an ioredis client as an option: new RedisStore({ client })'],
    ['of a bare client', [ioredis], 'pass an ioredis client as an option'],
    [
      'of a misspelt option',
      [{ client: ioredis, prefx: 'a' }],
      '"prefx" is not an option, did you mean "prefix"?',
    ],
    [
      'of a prefix that is no text',
      [{ client: ioredis, prefix: {} }],
      '"prefix" must be a string, got {}',
    ],
    [
      'of half a replica',
      [{ client: ioredis, minReplicas: 0.5 }],
      '"minReplicas" must be a whole number, got 0.5; give 0 to wait for none',
    ],
    [
      'of less than no replica',
      [{ client: ioredis, minReplicas: -1 }],
      '"minReplicas" must be a whole number, got -1; give 0 to wait for none',
    ],
  ])('a RedisStore %s', (_what, args, remedy) => {
    const make = (): unknown => Reflect.construct(RedisStore, args);
    expect(make).toThrow(`RedisStore: ${remedy}`);
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_store' }));
  });
});

/** An option that is added has to be added here, and to the names that tell options from a store. */
const EACH_OPTION: Required<Record<keyof McpSessionRoutingOptions, 1>> = {
  ...{ backends: 1, balance: 1, health: 1, ttl: 1, endedTtl: 1, unknownSessionStatus: 1, cache: 1 },
  ...{
    storeTimeout: 1,
    maxBodySize: 1,
    lostSession: 1,
    lostAfter: 1,
    recover: 1,
    sse: 1,
    affinity: 1,
    eraTtl: 1,
    skip: 1,
    handler: 1,
  },
  ...{ principal: 1, allowedOrigins: 1, secret: 1, self: 1 },
  ...{ logger: 1, on: 1, telemetry: 1, debug: 1 },
};

test.each(Object.keys(EACH_OPTION))(
  'the option %s in place of a store is told from one',
  (name) => {
    expect(() => resolveStore({ [name]: 1 })).toThrow('they are the second argument');
  },
);

describe('a store of one’s own that keeps its ioredis client under "client" is not taken for connect-redis', () => {
  const awaits = async (): Promise<void> => {};
  const own = { client: ioredis, set: awaits, get(): void {}, destroy(): void {} };

  test.each([
    ['has nothing else of it', own],
    ['counts what it scans', { ...own, scanCount: 100 }],
    ['can be told to keep all', { ...own, disableTTL: true }],
    ['has both and awaits nothing', { ...own, scanCount: 1, disableTTL: true, set(): void {} }],
  ])('if it %s', (_what, store) => {
    expect(resolveStore(store).store).toBeInstanceOf(ExpressSessionAdapter);
  });
});
