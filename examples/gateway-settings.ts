import { readBackends, type GivenBackends } from './gateway-backends.ts';
import { readRedis, type RedisSettings } from './gateway-redis.ts';
import { readStatusPage, type StatusSettings } from './gateway-status.ts';

/** The environment of gateway.ts, checked: what is wrong is said in one line with its remedy. */
export interface Settings {
  port: number;
  host: string;
  /** Left out: the gateway starts demo servers. */
  backends?: GivenBackends;
  mcpPath: string;
  /** Left out: any path that ends in /message or /messages. */
  messagePath?: string;
  proxy: ProxyName;
  /** Left out: sessions are kept in memory. */
  redis?: RedisSettings;
  /** Left out: there is no status page. */
  status?: StatusSettings;
  /** What is left out keeps the default of the package. */
  sessionOptions: {
    ttl?: number;
    unknownSessionStatus?: 400 | 404;
    allowedOrigins?: string[];
    secret?: string[];
  };
}

/** What sends requests on: http-proxy-middleware, or the forwarder of the package. */
export type ProxyName = (typeof PROXIES)[number];

const PROXIES = ['http-proxy-middleware', 'forward'] as const;

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const backends = readBackends(env.BACKENDS, env.BACKENDS_FILE);
  const redis = readRedis(env);
  const mcpPath = readPath('MCP_PATH', env.MCP_PATH || '/mcp');
  const messagePath = env.MESSAGE_PATH && readPath('MESSAGE_PATH', env.MESSAGE_PATH);
  const served = [mcpPath, '/sse', ...(messagePath ? [messagePath] : ['/message', '/messages'])];
  const status = readStatusPage(env, served, readPath);
  const { SESSION_TTL_SECONDS, UNKNOWN_SESSION_STATUS, ALLOWED_ORIGINS, STORE_SECRET } = env;
  return {
    port: readPort(env.PORT || '3000'),
    host: env.HOST || '127.0.0.1',
    mcpPath,
    ...(messagePath && { messagePath }),
    proxy: readProxy(env.PROXY || 'http-proxy-middleware'),
    ...(backends && { backends }),
    ...(redis && { redis }),
    ...(status && { status }),
    sessionOptions: {
      ...(SESSION_TTL_SECONDS && { ttl: readTtl(SESSION_TTL_SECONDS) }),
      ...(UNKNOWN_SESSION_STATUS && { unknownSessionStatus: readStatus(UNKNOWN_SESSION_STATUS) }),
      ...(ALLOWED_ORIGINS && { allowedOrigins: listOf(ALLOWED_ORIGINS) }),
      ...(STORE_SECRET && { secret: listOf(STORE_SECRET) }),
    },
  };
}

function readProxy(value: string): ProxyName {
  const known = PROXIES.find((name) => name === value);
  if (known) return known;
  throw new Error(`PROXY=${value} is not known: give ${PROXIES.join(' or ')}`);
}

function listOf(value: string): string[] {
  return value.split(',').map((part) => part.trim());
}

function readPort(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new Error(`PORT=${value} is not a port: give 0 to 65535 (0 picks a free one)`);
}

/** Letters, digits and `-._~` only: anything else would mean something to Express. */
function readPath(name: string, value: string): string {
  if (value === '/' || /^(\/[\w.~-]+)+\/?$/.test(value)) {
    if (new URL(value, 'http://gateway').pathname === value) return value;
  }
  throw new Error(`${name}=${value} is not a plain path: give one such as /mcp`);
}

function readTtl(value: string): number {
  const milliseconds = Math.round(Number(value) * 1000);
  if (milliseconds > 0 && Number.isSafeInteger(milliseconds)) return milliseconds;
  throw new Error(`SESSION_TTL_SECONDS=${value} is not a time: give seconds, such as 7200`);
}

function readStatus(value: string): 400 | 404 {
  if (value === '400') return 400;
  if (value === '404') return 404;
  throw new Error(`UNKNOWN_SESSION_STATUS=${value} is not allowed: give 400 or 404`);
}
