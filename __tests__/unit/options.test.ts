import { describe, expect, test } from '@jest/globals';
import { mcpSessionRouting, SessionRoutingError } from '../../src/index.ts';
import { settingsOf } from '../../src/settings.ts';

const ROUTE = (): string => 'http://a';
const CIRCULAR: Record<string, unknown> = {};
CIRCULAR['self'] = CIRCULAR;

function optionError(options: unknown): SessionRoutingError {
  try {
    mcpSessionRouting(null, options as object);
  } catch (error) {
    return error as SessionRoutingError;
  }
  throw new Error('the options were taken');
}

test('without options the defaults are those that are documented', () => {
  expect(settingsOf({})).toEqual({
    balance: 'round-robin',
    ttl: 7_200_000,
    endedTtl: 86_400_000,
    unknownSessionStatus: 400,
    storeTimeout: 1000,
    maxBodySize: 1_048_576,
    lostAfter: 10_000,
    eraTtl: 5000,
    cache: { max: 10_000, maxAge: 30_000, maxStale: 600_000 },
  });
});

test('undefined is the same as left out', () => {
  const nothing = { backends: undefined, ttl: undefined, cache: undefined, skip: undefined };
  expect(settingsOf(nothing as object)).toEqual(settingsOf({}));
  expect(settingsOf({ cache: { max: undefined } as object })).toEqual(settingsOf({}));
});

test('what is given is taken', () => {
  const given = {
    ttl: 0.5,
    unknownSessionStatus: 404,
    balance: ROUTE,
    maxBodySize: 1,
    logger: console,
    on: {},
  } as const;
  expect(settingsOf({ ...given, cache: { maxAge: 5 } })).toMatchObject({
    ...given,
    cache: { max: 10_000, maxAge: 5, maxStale: 600_000 },
  });
  expect(settingsOf({ cache: false }).cache).toBeUndefined();
});

test('the longest times, and the largest cache, are taken', () => {
  const longest = { ttl: 315_360_000_000, endedTtl: 315_360_000_000, storeTimeout: 2 ** 31 - 1 };
  expect(settingsOf({ ...longest, cache: { max: 2 ** 24 } })).toMatchObject(longest);
});

test('a logger may be a function with the three methods', () => {
  const logger = Object.assign(() => {}, { info() {}, warn() {}, error() {} });
  expect(settingsOf({ logger }).logger).toBe(logger);
});

describe('a mistake is told when the middleware is made, with the option, the value and the remedy:', () => {
  test.each([
    [{ backend: 'http://a' }, 'option "backend" is not an option, did you mean "backends"?'],
    [{ TTL: 5 }, 'option "TTL" is not an option, did you mean "ttl"?'],
    [{ storeTimeOut: 5 }, 'option "storeTimeOut" is not an option, did you mean "storeTimeout"?'],
    [{ unknownSesionStatus: 404 }, 'did you mean "unknownSessionStatus"?'],
    [{ lostSesion: ROUTE }, 'did you mean "lostSession"?'],
    [{ target: 'http://a' }, 'option "target" is not an option; the options are '],
    [{ ttl: 0 }, 'option "ttl": 0 must be a number above 0'],
    [{ ttl: '2h' }, 'option "ttl": "2h" must be a number above 0'],
    [{ ttl: -1 }, 'option "ttl": -1 must be a number above 0'],
    [{ ttl: Number.NaN }, 'option "ttl": null must be a number above 0'],
    [{ endedTtl: Infinity }, 'option "endedTtl"'],
    [{ ttl: 5n }, 'option "ttl": bigint must be a number above 0'],
    [{ ttl: 1e300 }, 'option "ttl": 1e+300 must be at most 315360000000 (ten years)'],
    [{ endedTtl: 315_360_000_001 }, 'option "endedTtl": 315360000001 must be at most 315360000000'],
    [{ storeTimeout: 2 ** 31 }, 'option "storeTimeout": 2147483648 must be at most 2147483647'],
    [{ storeTimeout: null }, 'option "storeTimeout": null must be a number above 0'],
    [{ maxBodySize: '1mb' }, 'option "maxBodySize": "1mb" must be a number above 0'],
    [{ lostAfter: [] }, 'option "lostAfter": [] must be a number above 0'],
    [{ unknownSessionStatus: 403 }, 'option "unknownSessionStatus": 403 must be 400 or 404'],
    [{ unknownSessionStatus: '404' }, 'option "unknownSessionStatus": "404" must be 400 or 404'],
    [{ balance: 'random' }, `"random" must be 'round-robin', 'least-connections' or a function`],
    [{ backends: 'http://a', health: 'healthz' }, 'option "health": "healthz" must be a path'],
    [{ backends: 'http://a', health: '//b/x' }, 'option "health": "//b/x" must be a path'],
    [{ health: '/healthz' }, 'option "health": "/healthz" needs "backends"'],
    [{ principal: 'sub' }, 'option "principal": "sub" must be a function'],
    [{ allowedOrigins: 'https://a' }, '"allowedOrigins": "https://a" must be a list of origins'],
    [{ allowedOrigins: ['*'] }, '"allowedOrigins": "*" must be an origin, such as'],
    [{ allowedOrigins: ['https://a/'] }, '"allowedOrigins": "https://a/" must be an origin'],
    [{ allowedOrigins: ['null'] }, '"allowedOrigins": "null" must be an origin'],
    [{ allowedOrigins: ['file:///x'] }, '"allowedOrigins": "file:///x" must be an origin'],
    [{ allowedOrigins: [undefined] }, '"allowedOrigins" must be an origin'],
    [{ self: undefined }, 'option "self" is undefined: is the variable set?'],
    [{ self: 'mcp-0:3000' }, 'must be an http or https origin such as "http://10.0.0.5:3000"'],
    [{ self: 'http://u:p@mcp-0' }, 'option "self": "http://mcp-0" must not hold credentials'],
    [{ self: 'http://mcp-0/mcp' }, 'requests keep their path; use "http://mcp-0"'],
    [{ self: 'http://undefined:3000' }, 'must be where the other replicas reach this process'],
    [{ self: 'http://0.0.0.0:3000' }, 'must be where the other replicas reach this process'],
    [{ self: 'http://mcp-0:0' }, 'must be where the other replicas reach this process'],
    [{ self: 'http://a', balance: 'round-robin' }, 'option "balance" has no use with "self"'],
    [{ self: 'http://a', recover: true }, 'option "recover" needs a gateway in front'],
    [{ secret: 'short' }, 'option "secret" must be a string of at least 32 characters'],
    [{ secret: [] }, 'option "secret" must be a string of at least 32 characters'],
    [{ secret: ['x'.repeat(32), 7] }, '"openssl rand -base64 32" prints one'],
    [{ lostSession: true }, 'option "lostSession": true must be a function'],
    [{ skip: '/health' }, 'option "skip": "/health" must be a function'],
    [{ handler: {} }, 'option "handler": {} must be a function'],
    [{ handler: CIRCULAR }, 'option "handler": object must be a function'],
    [{ logger: CIRCULAR }, 'option "logger": object must have info, warn and error'],
    [{ cache: true }, 'option "cache": true must be an object or false'],
    [{ cache: [] }, 'option "cache": [] must be an object or false'],
    [{ cache: null }, 'option "cache": null must be an object or false'],
    [
      { cache: { size: 5 } },
      'option "cache.size" is not an option; the options are max, maxAge, maxStale',
    ],
    [{ cache: { maxage: 5 } }, 'option "cache.maxage" is not an option, did you mean "maxAge"?'],
    [{ cache: { max: 0 } }, 'option "cache.max": 0 must be a number above 0'],
    [{ cache: { maxAge: -1 } }, 'option "cache.maxAge": -1 must be a number above 0'],
    [{ cache: { maxStale: 'x' } }, 'option "cache.maxStale": "x" must be a number above 0'],
    [{ cache: { max: 2 ** 40 } }, 'option "cache.max": 1099511627776 must be at most 16777216'],
    [{ cache: { max: 1.5 } }, 'option "cache.max": 1.5 must be a whole number'],
    [{ backends: [] }, 'backends: must be an origin or a list of at least one'],
    [
      { backends: 'http://a/mcp' },
      'must be an origin, since requests keep their own path; use "http://a"',
    ],
    [{ logger: {} }, 'option "logger"'],
    [{ logger: 'console' }, 'option "logger"'],
    [{ on: ROUTE }, 'option "on"'],
    [{ on: [] }, 'option "on": [] must be an object of functions'],
    [{ backends: [5n] }, 'backends: bigint must be an absolute http or https URL'],
    [{ backends: [CIRCULAR] }, 'backends: object: "self" is not an option'],
    [{ on: { open: ROUTE } }, 'option "on.open" is not an option, did you mean "opened"?'],
    [{ debug: 'yes' }, 'option "debug": "yes" must be true or false'],
    [{ telemetry: true }, 'option "telemetry": true must be what openTelemetry() of'],
    [{ telemetry: {} }, 'of "mcp-session-routing/opentelemetry" returns'],
    [{ telemetery: {} }, 'did you mean "telemetry"?'],
    [{ on: { refused: 'log' } }, 'option "on.refused": "log" must be a function'],
  ])('%p', (options: object, message) => {
    const error = optionError(options);
    expect(error).toBeInstanceOf(SessionRoutingError);
    expect(error.code).toBe('invalid_option');
    expect(error.message).toContain(message);
  });
});

test('options that are not an object are told so', () => {
  for (const given of ['http://a', null, 5, [], ['http://a'], ROUTE]) {
    expect(optionError(given).message).toContain('the options must be an object');
  }
});

test('a replica whose records anybody could make up is told to say where requests may go', () => {
  const self = 'http://10.0.0.5:3000';
  const store = { get: () => undefined, set() {}, delete() {} };
  const remedy = 'option "self" needs "backends", the replicas, or "secret"';
  expect(() => mcpSessionRouting(store, { self })).toThrow(remedy);
  const secret = 'x'.repeat(32);
  for (const trusted of [{ secret }, { backends: [self] }]) {
    const sessions = mcpSessionRouting(store, { self, ...trusted });
    expect(sessions.stats().opened).toBe(0);
    void sessions.close();
  }
});
