import type { Setting } from '../given.ts';

const PLACE = 'Where it listens:';
const BACKENDS = 'MCP servers, by one of the first three:';
const SESSIONS = 'Sessions:';
const REDIS =
  'Where sessions are kept (one of the first three; without them in memory, for one gateway):';
const REQUESTS = 'Requests:';
const STATUS = 'A page that shows what the gateway does:';

export type SettingName =
  | ('port' | 'host' | 'path' | 'messagePath')
  | ('backend' | 'backendsFile' | 'dns' | 'srv' | 'balance' | 'health')
  | ('ttl' | 'unknownSessionStatus' | 'lostAfter' | 'recover' | 'taskAffinity')
  | ('redis' | 'redisSentinels' | 'redisCluster' | 'redisMasterName' | 'redisPassword')
  | ('storeSecret' | 'allowedOrigin' | 'changeOrigin' | 'xfwd' | 'headersTimeout')
  | ('drain' | 'logSessions' | 'statusPath' | 'statusPassword');

/** What can be said of a gateway; docs/cli.md has the same table. */
export const SETTINGS: Readonly<Record<SettingName, Setting>> = {
  port: {
    flags: '-p, --port <number>',
    variable: 'PORT',
    group: PLACE,
    text: 'port; 0 picks a free one (default 3000)',
  },
  host: {
    flags: '--host <address>',
    variable: 'HOST',
    group: PLACE,
    text: 'address; 0.0.0.0 is reached from other machines (default 127.0.0.1)',
  },
  path: {
    flags: '--path <path>',
    variable: 'MCP_PATH',
    group: PLACE,
    text: 'path of the MCP endpoint; it reaches the servers unchanged (default /mcp)',
  },
  messagePath: {
    flags: '--message-path <path>',
    variable: 'MESSAGE_PATH',
    group: PLACE,
    text: 'path of the messages of HTTP+SSE (default: any that ends in /message or /messages)',
  },
  backend: {
    flags: '-b, --backend <url>',
    variable: 'BACKENDS',
    group: BACKENDS,
    text: 'base URL of a server, without a path; once for each',
    separator: ',',
  },
  backendsFile: {
    flags: '--backends-file <file>',
    variable: 'BACKENDS_FILE',
    group: BACKENDS,
    text: 'JSON file that may change while the gateway runs: [{"id":"mcp-0","url":"http://mcp-0:8080"}]',
  },
  dns: {
    flags: '--dns <url>',
    variable: 'BACKENDS_DNS',
    group: BACKENDS,
    text: 'a URL whose fully qualified host name has a record for each server',
  },
  srv: {
    flags: '--srv <service>',
    variable: 'BACKENDS_SRV',
    group: BACKENDS,
    text: 'with --dns: ask for SRV records, of _mcp._tcp for instance, which have the ports',
  },
  balance: {
    flags: '--balance <how>',
    variable: 'BALANCE',
    group: BACKENDS,
    text: 'who takes a new session: round-robin or least-connections (default round-robin)',
  },
  health: {
    flags: '--health <path>',
    variable: 'HEALTH_PATH',
    group: BACKENDS,
    text: 'path whose 2xx says that a server which was down is up (default: a connection)',
  },
  ttl: {
    flags: '--ttl <seconds>',
    variable: 'SESSION_TTL_SECONDS',
    group: SESSIONS,
    text: 'how long an idle session lives (default 7200)',
  },
  unknownSessionStatus: {
    flags: '--unknown-session-status <status>',
    variable: 'UNKNOWN_SESSION_STATUS',
    group: SESSIONS,
    text: 'answer to an id that was never issued: 400, or 404 so that clients start again (default 400)',
  },
  lostAfter: {
    flags: '--lost-after <seconds>',
    variable: 'LOST_AFTER_SECONDS',
    group: SESSIONS,
    text: 'how long a server may be out of reach before its sessions are given up (default 10)',
  },
  recover: {
    flags: '--recover',
    variable: 'RECOVER',
    group: SESSIONS,
    text: 'open lost sessions anew on another server; what the old one had in memory is gone',
  },
  taskAffinity: {
    flags: '--task-affinity',
    variable: 'TASK_AFFINITY',
    group: SESSIONS,
    text: 'send requests about a task of 2026-07-28 to the server that holds it',
  },
  redis: {
    flags: '--redis <url>',
    variable: 'REDIS_URL',
    group: REDIS,
    text: 'redis://host:6379, rediss:// with TLS',
  },
  redisSentinels: {
    flags: '--redis-sentinels <addresses>',
    variable: 'REDIS_SENTINELS',
    group: REDIS,
    text: 'host:port of the Sentinels that know the master, comma-separated',
    separator: ',',
  },
  redisCluster: {
    flags: '--redis-cluster <addresses>',
    variable: 'REDIS_CLUSTER',
    group: REDIS,
    text: 'host:port of some nodes of a Cluster, comma-separated',
    separator: ',',
  },
  redisMasterName: {
    flags: '--redis-master-name <name>',
    variable: 'REDIS_MASTER_NAME',
    group: REDIS,
    text: 'what the Sentinels call the master (default mymaster)',
  },
  redisPassword: {
    flags: '--redis-password <password>',
    variable: 'REDIS_PASSWORD',
    group: REDIS,
    text: 'of the Redis; as a variable others on the machine do not see it',
  },
  storeSecret: {
    flags: '--store-secret <secret>',
    variable: 'STORE_SECRET',
    group: REDIS,
    text: 'signs what is in Redis, 32 characters or more; to change it: new,old; better as a variable',
    separator: ',',
  },
  allowedOrigin: {
    flags: '--allowed-origin <origin>',
    variable: 'ALLOWED_ORIGINS',
    group: REQUESTS,
    text: 'origin of web pages that may send requests, once for each; others get 403 (default: all may)',
    separator: ',',
  },
  changeOrigin: {
    flags: '--change-origin',
    variable: 'CHANGE_ORIGIN',
    group: REQUESTS,
    text: "send the server's own name as Host, in place of the client's",
  },
  xfwd: {
    flags: '--xfwd',
    variable: 'XFWD',
    group: REQUESTS,
    text: "send X-Forwarded-For, -Host and -Proto, in place of the client's",
  },
  headersTimeout: {
    flags: '--headers-timeout <seconds>',
    variable: 'HEADERS_TIMEOUT_SECONDS',
    group: REQUESTS,
    text: 'how long a server may take to begin its answer (default: no limit)',
  },
  drain: {
    flags: '--drain <seconds>',
    variable: 'DRAIN_SECONDS',
    group: REQUESTS,
    text: 'how long requests may take to finish after SIGTERM (default 10)',
  },
  logSessions: {
    flags: '--log-sessions',
    variable: 'LOG_SESSIONS',
    group: REQUESTS,
    text: 'tell of each session that is opened or ended, by a hash of its id',
  },
  statusPath: {
    flags: '--status-path <path>',
    variable: 'STATUS_PATH',
    group: STATUS,
    text: 'path of the status page, such as /_mcp (default: there is none)',
  },
  statusPassword: {
    flags: '--status-password <password>',
    variable: 'STATUS_PASSWORD',
    group: STATUS,
    text: 'of that page, 12 characters or more, for any name of a user; better as a variable',
  },
};
