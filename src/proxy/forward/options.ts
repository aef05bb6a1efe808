import type { ConnectionOptions } from 'node:tls';
import { originOf } from '../../backends/origin.ts';
import { isObject, shown, strayOf } from '../../given.ts';
import { SessionRoutingError } from '../../protocol/errors.ts';

export interface SessionForwarderOptions {
  /**
   * Origin of the server that takes requests where `mcpSessionRouting` has no `backends`, and those that it skips.
   * @default none: such a request goes to `next(err)`
   */
  readonly target?: string;
  /** Tells a backend its own name as `Host`, in place of the client's. @default false */
  readonly changeOrigin?: boolean;
  /**
   * Tells backends the client's address and how it has reached this gateway: `X-Forwarded-For`, `-Host` and
   * `-Proto`, as Express knows them (`trust proxy`), in place of those that the client has sent, and without its
   * `Forwarded` and `X-Forwarded-Port`. @default false: what the client sends passes
   */
  readonly xfwd?: boolean;
  /** For `https:` backends, as for `tls.connect`: `ca`, `cert`, `key`, `rejectUnauthorized` and so on. */
  readonly tls?: ConnectionOptions;
  /**
   * Milliseconds that a backend may take to begin its answer (504 `upstream_timeout`; exact to a second).
   * @default none: tools run long
   */
  readonly headersTimeout?: number;
}

/** The options, checked. */
export interface ForwarderSettings {
  readonly target: string | undefined;
  readonly changeOrigin: boolean;
  readonly xfwd: boolean;
  readonly tls: ConnectionOptions | undefined;
  readonly headersTimeout: number;
}

const NAMES = ['target', 'changeOrigin', 'xfwd', 'tls', 'headersTimeout'];

/** Timers run at once with anything longer (ms). */
const LONGEST_TIMER = 2 ** 31 - 1;

/** @throws {SessionRoutingError} `invalid_option`, with the remedy */
export function forwarderSettings(given: SessionForwarderOptions): ForwarderSettings {
  if (!isObject(given)) throw invalid('the options must be an object, such as { target }');
  const stray = strayOf(given, NAMES);
  if (stray) throw invalid(`option "${stray.name}" ${stray.remedy}`);
  const { target, changeOrigin = false, xfwd = false, tls, headersTimeout = 0 } = given;
  for (const [name, value] of Object.entries({ changeOrigin, xfwd })) {
    if (typeof value !== 'boolean') throw wrong(name, value, 'must be true or false');
  }
  if (tls !== undefined && !isObject(tls))
    throw wrong('tls', tls, 'must be an object, such as { ca }');
  const isTime =
    Number.isSafeInteger(headersTimeout) && headersTimeout >= 0 && headersTimeout <= LONGEST_TIMER;
  if (!isTime) {
    throw wrong('headersTimeout', headersTimeout, 'must be a whole number of milliseconds');
  }
  return { target: targetOf(target), changeOrigin, xfwd, tls, headersTimeout };
}

function targetOf(target: unknown): string | undefined {
  if (target === undefined) return undefined;
  const origin = originOf(target);
  if (origin === undefined)
    throw wrong('target', target, 'must be an origin such as "http://mcp-0:8080"');
  const { pathname, search, username, password } = new URL(target as string | URL);
  if (username !== '' || password !== '')
    throw wrong('target', origin, 'must not hold credentials');
  if (pathname !== '/' || search !== '')
    throw wrong('target', target, `must be an origin: requests keep their path; use "${origin}"`);
  return origin;
}

function wrong(name: string, value: unknown, remedy: string): SessionRoutingError {
  return invalid(`option "${name}": ${shown(value)} ${remedy}`);
}

function invalid(problem: string): SessionRoutingError {
  return new SessionRoutingError('invalid_option', `sessionForwarder: ${problem}`);
}
