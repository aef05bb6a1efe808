import type { McpSessionRoutingOptions } from '../../options.ts';
import type { SessionForwarderOptions } from '../../proxy/forward/options.ts';
import { givensOf, valueOf, type Flags, type Given, type Givens } from '../given.ts';
import { booleanIn, plainPathIn, portIn, secondsIn } from '../read-value.ts';
import { UsageError } from '../usage-error.ts';
import { readBackends, type GivenBackends } from './read-backends.ts';
import { readRedis, type RedisSettings } from './read-redis.ts';
import { SETTINGS, type SettingName } from './settings-table.ts';
import { readStatusPage, type StatusSettings } from './status-page.ts';

/** The settings of a gateway, checked. */
export interface GatewaySettings {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  /** Left out: any path that ends as those of messages do. */
  readonly messagePath?: string;
  readonly backends: GivenBackends;
  /** Left out: sessions are kept in memory. */
  readonly redis?: RedisSettings;
  /** What is left out keeps the default of the package. */
  readonly sessionOptions: McpSessionRoutingOptions;
  readonly forwarderOptions: SessionForwarderOptions;
  /** Milliseconds that requests may take to finish after SIGTERM. */
  readonly drain: number;
  readonly logSessions: boolean;
  /** Left out: there is no status page. */
  readonly status?: StatusSettings;
  /** What was given under which name, for messages. */
  readonly givens: Givens<SettingName>;
}

/** The longest timer of Node, and ten years, the longest life of a session (s). */
const LONGEST_TIMER = 2_147_483;
const TEN_YEARS = 315_360_000;

/** @throws {UsageError} */
export function readSettings(flags: Flags, env: NodeJS.ProcessEnv): GatewaySettings {
  const givens = givensOf<SettingName>(SETTINGS, flags, env);
  const redis = readRedis(givens);
  const path =
    valueOf(givens.path, plainPathIn, 'is not a plain path: give one such as /mcp') ?? '/mcp';
  const messagePath = valueOf(
    givens.messagePath,
    plainPathIn,
    'is not a plain path: give one such as /messages',
  );
  const messagePaths = messagePath === undefined ? ['/message', '/messages'] : [messagePath];
  const status = readStatusPage(givens, [path, ...messagePaths]);
  return {
    port:
      valueOf(givens.port, portIn, 'is not a port: give 0 to 65535 (0 picks a free one)') ?? 3000,
    host: (givens.host?.values[0] ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'),
    path,
    ...(messagePath !== undefined && { messagePath }),
    backends: readBackends(givens),
    ...(redis && { redis }),
    sessionOptions: sessionOptions(givens),
    forwarderOptions: forwarderOptions(givens),
    drain: seconds(givens.drain, 0, 3600) ?? 10_000,
    logSessions: boolean(givens.logSessions) ?? false,
    ...(status && { status }),
    givens,
  };
}

function sessionOptions(givens: Givens<SettingName>): McpSessionRoutingOptions {
  const tasks = boolean(givens.taskAffinity);
  return present({
    ttl: seconds(givens.ttl, 0.001, TEN_YEARS),
    unknownSessionStatus: valueOf(
      givens.unknownSessionStatus,
      statusIn,
      'is not allowed: give 400 or 404',
    ),
    lostAfter: seconds(givens.lostAfter, 0.001, LONGEST_TIMER),
    recover: boolean(givens.recover),
    affinity: tasks === undefined ? undefined : { tasks },
    balance: valueOf(
      givens.balance,
      balanceIn,
      'is not known: give round-robin or least-connections',
    ),
    health: givens.health?.values[0],
    allowedOrigins: originsOf(givens.allowedOrigin),
    secret: givens.storeSecret?.values,
  });
}

function forwarderOptions(givens: Givens<SettingName>): SessionForwarderOptions {
  return present({
    changeOrigin: boolean(givens.changeOrigin),
    xfwd: boolean(givens.xfwd),
    headersTimeout: seconds(givens.headersTimeout, 1, LONGEST_TIMER),
  });
}

/** The package repeats what is no origin. @throws {UsageError} that does not, if it holds a password */
function originsOf(given: Given | undefined): readonly string[] | undefined {
  if (given?.values.some((value) => value.includes('@'))) {
    throw new UsageError(
      `${given.name}: an origin has no user name or password: give one such as https://app.example.com`,
    );
  }
  return given?.values;
}

function statusIn(text: string): 400 | 404 | undefined {
  if (text === '400') return 400;
  return text === '404' ? 404 : undefined;
}

function balanceIn(text: string): 'round-robin' | 'least-connections' | undefined {
  return text === 'round-robin' || text === 'least-connections' ? text : undefined;
}

function seconds(given: Given | undefined, least: number, most: number): number | undefined {
  const remedy = `is not a time that can be: give seconds, ${least} to ${most}`;
  return valueOf(given, (text) => secondsIn(text, least, most), remedy);
}

function boolean(given: Given | undefined): boolean | undefined {
  return valueOf(given, booleanIn, 'is neither yes nor no: give true or false');
}

type Present<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without the members that are `undefined`. */
function present<T extends object>(options: T): Present<T> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Present<T>;
}
