import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Balance } from './backends/balance.ts';
import type { BackendSource } from './backends/discovery.ts';
import { isObject, MOST_ENTRIES, shown, strayOf } from './given.ts';
import type { RefusalHandler } from './http/exchange.ts';
import { SessionRoutingError } from './protocol/errors.ts';
import type { Reason } from './protocol/reasons.ts';
import type { LostSession } from './routing/endings.ts';
import type { CacheOptions } from './store/local-cache.ts';

/** `console` is one. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** What `on` may listen to. A session is named by the first 12 hex digits of the SHA-256 of its id. */
export interface SessionEvents {
  /** A session was stored. `backend` is its origin, if it is known. */
  readonly opened?: (event: {
    readonly session: string;
    readonly backend: string | undefined;
  }) => void;
  /** A session was ended, here or by another gateway that told this one. */
  readonly ended?: (event: { readonly session: string }) => void;
  /** A request was answered by this package in place of a backend. */
  readonly refused?: (event: {
    readonly reason: Reason;
    readonly session: string | undefined;
  }) => void;
  /** The store failed, did not answer in time, or returned a record that cannot be read. */
  readonly storeFailed?: (event: { readonly error: unknown; readonly during: string }) => void;
  /** No connection to the backend could be made: it gets no new sessions. */
  readonly backendDown?: (event: { readonly backend: string }) => void;
  /** A connection to the backend, or its probe, has succeeded: it gets new sessions again. */
  readonly backendUp?: (event: { readonly backend: string }) => void;
  /** The list of backends could not be had, or was none: those that were known stay. */
  readonly discoveryFailed?: (event: { readonly error: unknown }) => void;
}

/** Options of `mcpSessionRouting`. All durations are milliseconds. */
export interface McpSessionRoutingOptions<
  Req extends IncomingMessage = IncomingMessage,
  Res extends ServerResponse = ServerResponse,
> {
  /**
   * The backends: an origin or entry, a list of them, a function that returns a list (asked once a second), or a
   * discovery such as `dnsBackends`. Left out: the `target` or `router` of the proxy decides.
   * @example async () => JSON.parse(await readFile('backends.json', 'utf8'))
   */
  readonly backends?: BackendSource;
  /** Which backend takes a request without a session. @default 'round-robin' */
  readonly balance?: Balance;
  /**
   * Path that is asked with GET while a backend is down: 2xx says that it is up again. Left out: that a connection
   * can be made.
   */
  readonly health?: string;
  /** Idle lifetime of a session, sliding. @default 7_200_000 (2 h) */
  readonly ttl?: number;
  /** How long an ended or expired session is still told from a never issued one. @default 86_400_000 (24 h) */
  readonly endedTtl?: number;
  /**
   * Status for an id that was never issued. Clients start again only on 404, which is what the specification asks
   * of servers; 400 says that the client is at fault. @default 400
   */
  readonly unknownSessionStatus?: 400 | 404;
  /** Cache in front of a store that costs a round trip; `false`: none. @default { max: 10_000, maxAge: 30_000, maxStale: 600_000 } */
  readonly cache?: CacheOptions | false;
  /** Longest a store may take; past it the request gets 503. @default 1000 */
  readonly storeTimeout?: number;
  /** Most bytes of a request body that are held in memory. @default 1_048_576 (1 MiB) */
  readonly maxBodySize?: number;
  /**
   * Whether this answer of a backend, status 400 or above, means that it has forgotten the session.
   * @default the two answers of the SDK's examples: 400 "No valid session ID provided", 400 "Server not initialized"
   * @example (status, body) => status === 410
   */
  readonly lostSession?: LostSession;
  /** How long a backend may be out of reach before its sessions are given up. @default 10_000 */
  readonly lostAfter?: number;
  /** `true`: the request is none of this middleware's business. @default none is skipped */
  readonly skip?: (req: Req) => boolean;
  /** Answers refusals in place of the package; not where a backend's answer is already on its way. */
  readonly handler?: RefusalHandler<Req, Res>;
  /** @default silent */
  readonly logger?: Logger;
  readonly on?: SessionEvents;
}

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
} as const;

const CACHE_DEFAULTS: Required<CacheOptions> = { max: 10_000, maxAge: 30_000, maxStale: 600_000 };

/** Timers run at once with anything longer (ms). */
const LONGEST_TIMER = 2 ** 31 - 1;
/** More than any session needs; far less than Redis and dates bear (ms). */
const TEN_YEARS = 10 * 365 * 24 * 60 * 60 * 1000;

const BALANCES: readonly unknown[] = ['round-robin', 'least-connections'];
const FUNCTIONS = ['lostSession', 'skip', 'handler'] as const;
const LEVELS = ['info', 'warn', 'error'] as const;
const EVENTS = [
  ...['opened', 'ended', 'refused', 'storeFailed', 'backendDown', 'backendUp', 'discoveryFailed'],
] as const;
const NAMES = [
  ...Object.keys(DEFAULTS),
  ...FUNCTIONS,
  'backends',
  'health',
  'cache',
  'logger',
  'on',
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
  functions('', settings, FUNCTIONS);
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

/** Left out and `undefined` are the same. */
function defined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function known(prefix: string, options: object, names: readonly string[]): void {
  const stray = strayOf(options, names);
  if (stray) throw invalid(prefix + stray.name, undefined, stray.remedy);
}

function functions(prefix: string, options: object, names: readonly string[]): void {
  for (const name of names) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined && typeof value !== 'function')
      throw invalid(prefix + name, value, 'must be a function');
  }
}

function positive(name: string, value: unknown, most = Infinity, mostShown = `${most}`): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0)
    throw invalid(name, value, 'must be a number above 0');
  if (value > most) throw invalid(name, value, `must be at most ${mostShown}`);
}

function invalid(name: string, value: unknown, remedy: string): SessionRoutingError {
  const found = value === undefined ? '' : `: ${shown(value)}`;
  return new SessionRoutingError(
    'invalid_option',
    `mcpSessionRouting: option "${name}"${found} ${remedy}`,
  );
}
