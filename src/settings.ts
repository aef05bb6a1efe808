import type { IncomingMessage, ServerResponse } from 'node:http';
import { defined, functions, invalid, known, positive } from './checks.ts';
import { isObject, MOST_ENTRIES } from './given.ts';
import type { McpSessionRoutingOptions } from './options.ts';
import { SessionRoutingError } from './protocol/errors.ts';
import { self } from './self-setting.ts';
import type { CacheOptions } from './store/local-cache.ts';
import { trust } from './trust-settings.ts';

/** The options with their defaults, checked. */
export type Settings<Req extends IncomingMessage, Res extends ServerResponse> = Required<
  Pick<
    McpSessionRoutingOptions<Req, Res>,
    | 'balance'
    | 'ttl'
    | 'endedTtl'
    | 'unknownSessionStatus'
    | 'storeTimeout'
    | 'maxBodySize'
    | 'lostAfter'
    | 'eraTtl'
  >
> &
  Omit<McpSessionRoutingOptions<Req, Res>, 'cache'> & {
    readonly cache: Required<CacheOptions> | undefined;
  };

const DEFAULTS = {
  balance: 'round-robin',
  ttl: 2 * 60 * 60 * 1000,
  endedTtl: 24 * 60 * 60 * 1000,
  unknownSessionStatus: 400,
  storeTimeout: 1000,
  maxBodySize: 1024 * 1024,
  lostAfter: 10_000,
  eraTtl: 5000,
} as const;

const CACHE_DEFAULTS: Required<CacheOptions> = { max: 10_000, maxAge: 30_000, maxStale: 600_000 };

/** Timers run at once with anything longer (ms). */
const LONGEST_TIMER = 2 ** 31 - 1;
/** More than any session needs; far less than Redis and dates bear (ms). */
const TEN_YEARS = 10 * 365 * 24 * 60 * 60 * 1000;

const BALANCES: readonly unknown[] = ['round-robin', 'least-connections'];
const FUNCTIONS = ['lostSession', 'principal', 'skip', 'handler'] as const;
const LEVELS = ['info', 'warn', 'error'] as const;
const EVENTS = [
  ...['opened', 'recovered', 'ended', 'refused', 'storeFailed'],
  ...['backendDown', 'backendUp', 'discoveryFailed'],
] as const;
const NAMES = [
  ...Object.keys(DEFAULTS),
  ...FUNCTIONS,
  'backends',
  'health',
  'recover',
  'sse',
  'affinity',
  'allowedOrigins',
  'secret',
  'self',
  'cache',
  'logger',
  'on',
  'telemetry',
  'debug',
];

/** Checks the options once, when the middleware is made. @throws {SessionRoutingError} `invalid_option` */
export function settingsOf<Req extends IncomingMessage, Res extends ServerResponse>(
  given: McpSessionRoutingOptions<Req, Res>,
): Settings<Req, Res> {
  if (!isObject(given)) {
    throw new SessionRoutingError(
      'invalid_option',
      'mcpSessionRouting: the options must be an object, such as { backends }',
    );
  }
  known('', given, NAMES);
  const complete = { ...DEFAULTS, cache: {}, ...defined(given) } as Required<typeof given>;
  const { cache, ...settings } = complete;
  positive('ttl', settings.ttl, TEN_YEARS, `${TEN_YEARS} (ten years)`);
  positive('endedTtl', settings.endedTtl, TEN_YEARS, `${TEN_YEARS} (ten years)`);
  positive('storeTimeout', settings.storeTimeout, LONGEST_TIMER);
  positive('maxBodySize', settings.maxBodySize);
  positive('lostAfter', settings.lostAfter);
  positive('eraTtl', settings.eraTtl);
  if (settings.unknownSessionStatus !== 400 && settings.unknownSessionStatus !== 404) {
    throw invalid('unknownSessionStatus', settings.unknownSessionStatus, 'must be 400 or 404');
  }
  if (!BALANCES.includes(settings.balance) && typeof settings.balance !== 'function') {
    throw invalid(
      'balance',
      settings.balance,
      "must be 'round-robin', 'least-connections' or a function",
    );
  }
  health(given);
  sse(given.sse);
  affinity(given.affinity);
  trust(given);
  self(given);
  const { recover }: typeof given = settings;
  if (recover !== undefined && typeof recover !== 'boolean' && typeof recover !== 'function') {
    throw invalid('recover', recover, 'must be true, false or a function');
  }
  functions('', settings, FUNCTIONS);
  observation(given);
  const { logger, on }: typeof given = settings;
  if (logger !== undefined) {
    const holder = isObject(logger) || typeof logger === 'function';
    const able = holder && LEVELS.every((level) => typeof logger[level] === 'function');
    if (!able) throw invalid('logger', logger, 'must have info, warn and error, as console has');
  }
  if (on !== undefined) {
    if (!isObject(on)) throw invalid('on', on, 'must be an object of functions');
    known('on.', on, EVENTS);
    functions('on.', on, EVENTS);
  }
  return { ...settings, cache: cacheOf(cache) };
}

function observation({
  telemetry,
  debug,
}: Pick<McpSessionRoutingOptions, 'telemetry' | 'debug'>): void {
  if (debug !== undefined && typeof debug !== 'boolean')
    throw invalid('debug', debug, 'must be true or false');
  if (telemetry === undefined) return;
  const able = isObject(telemetry) && typeof telemetry.observe === 'function';
  if (!able)
    throw invalid(
      'telemetry',
      telemetry,
      'must be what openTelemetry() of "mcp-session-routing/opentelemetry" returns',
    );
}

function affinity(value: unknown): void {
  if (value === undefined) return;
  if (!isObject(value))
    throw invalid('affinity', value, 'must be an object, such as { tasks: true }');
  known('affinity.', value, ['tasks']);
  const tasks: unknown = Reflect.get(value, 'tasks');
  if (tasks !== undefined && typeof tasks !== 'boolean')
    throw invalid('affinity.tasks', tasks, 'must be true or false');
}

function sse(value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  if (!isObject(value)) throw invalid('sse', value, 'must be true, false or { params }');
  known('sse.', value, ['params']);
  const params: unknown = Reflect.get(value, 'params');
  const names = Array.isArray(params) && params.every((name) => typeof name === 'string' && name);
  if (!names || params.length === 0)
    throw invalid('sse.params', params, 'must be a list of names, such as ["sessionId"]');
}

function health({
  health: path,
  backends,
}: Pick<McpSessionRoutingOptions, 'health' | 'backends'>): void {
  if (path === undefined) return;
  if (typeof path !== 'string' || !/^\/(?!\/)/.test(path)) {
    throw invalid('health', path, 'must be a path that begins with "/", such as "/healthz"');
  }
  if (backends === undefined) throw invalid('health', path, 'needs "backends"');
}

function cacheOf(cache: CacheOptions | false): Required<CacheOptions> | undefined {
  if (cache === false) return undefined;
  if (!isObject(cache)) throw invalid('cache', cache, 'must be an object or false');
  known('cache.', cache, Object.keys(CACHE_DEFAULTS));
  const complete: Required<CacheOptions> = { ...CACHE_DEFAULTS, ...defined(cache) };
  positive('cache.max', complete.max, MOST_ENTRIES);
  if (!Number.isSafeInteger(complete.max))
    throw invalid('cache.max', complete.max, 'must be a whole number');
  positive('cache.maxAge', complete.maxAge);
  positive('cache.maxStale', complete.maxStale);
  return complete;
}
