import { describe, expect, it } from '@jest/globals';
import { readSettings, type GatewaySettings } from '../../../src/cli/gateway/read-settings.ts';
import type { Flags } from '../../../src/cli/given.ts';
import { backendsFile } from '../../helpers/backends-file.ts';

const A = 'http://a:1';
const read = (flags: Flags, env: NodeJS.ProcessEnv = {}): GatewaySettings =>
  readSettings({ backend: [A], ...flags }, env);

describe('the settings of a gateway', () => {
  it('are those of the package where nothing but a backend is given', () => {
    const { givens, ...settings } = read({});
    expect(Object.keys(givens)).toEqual(['backend']);
    expect(settings).toEqual({
      port: 3000,
      host: '127.0.0.1',
      path: '/mcp',
      backends: [A],
      sessionOptions: {},
      forwarderOptions: {},
      drain: 10_000,
      logSessions: false,
    });
  });

  it('become options of the package, by flags', () => {
    const { sessionOptions, forwarderOptions } = read({
      ...{ ttl: '1.5', unknownSessionStatus: '404', lostAfter: '3', recover: true },
      ...{ taskAffinity: true, balance: 'least-connections', health: '/healthz' },
      ...{ allowedOrigin: ['https://a.example'], storeSecret: ['new,old'], redis: 'redis://a' },
      ...{ changeOrigin: true, xfwd: true, headersTimeout: '60' },
    });
    expect(sessionOptions).toEqual({
      ...{ ttl: 1500, unknownSessionStatus: 404, lostAfter: 3000, recover: true },
      ...{ affinity: { tasks: true }, balance: 'least-connections', health: '/healthz' },
      ...{ allowedOrigins: ['https://a.example'], secret: ['new', 'old'] },
    });
    expect(forwarderOptions).toEqual({ changeOrigin: true, xfwd: true, headersTimeout: 60_000 });
  });

  it('say where it listens, an address of IPv6 with brackets or without', () => {
    expect(read({ host: '[::1]' }).host).toBe('::1');
    expect(read({ host: '::1' }).host).toBe('::1');
    expect(read({ messagePath: '/rpc' }).messagePath).toBe('/rpc');
  });

  it('become options of the package, by variables', () => {
    const { backends, port, drain, logSessions, sessionOptions } = readSettings(
      {},
      {
        ...{ BACKENDS: `${A}, http://b:2`, PORT: '0', DRAIN_SECONDS: '0', LOG_SESSIONS: '1' },
        ...{ SESSION_TTL_SECONDS: '60', RECOVER: 'false', TASK_AFFINITY: 'true' },
      },
    );
    expect(backends).toEqual([A, 'http://b:2']);
    expect({ port, drain, logSessions }).toEqual({ port: 0, drain: 0, logSessions: true });
    expect(sessionOptions).toEqual({ ttl: 60_000, recover: false, affinity: { tasks: true } });
  });

  it.each<[Flags, string]>([
    [{ port: 'abc' }, '--port abc is not a port: give 0 to 65535 (0 picks a free one)'],
    [{ port: '65536' }, 'give 0 to 65535'],
    [{ path: 'mcp' }, '--path mcp is not a plain path: give one such as /mcp'],
    [{ path: '/:any' }, 'give one such as /mcp'],
    [{ path: '/a/../b' }, 'give one such as /mcp'],
    [{ messagePath: 'rpc' }, '--message-path rpc is not a plain path: give one such as /messages'],
    [{ ttl: 'soon' }, '--ttl soon is not a time that can be: give seconds, 0.001 to 315360000'],
    [{ ttl: '0' }, 'give seconds'],
    [
      { unknownSessionStatus: '500' },
      '--unknown-session-status 500 is not allowed: give 400 or 404',
    ],
    [{ lostAfter: '-1' }, 'give seconds'],
    [{ drain: '3601' }, 'give seconds, 0 to 3600'],
    [{ headersTimeout: '0.5' }, 'give seconds, 1 to'],
    [{ balance: 'random' }, 'give round-robin or least-connections'],
    [{ backend: ['http://127.0.0.1:1/mcp'] }, 'give http://127.0.0.1:1 and set --path'],
    [{ backend: ['localhost:1'] }, 'give one such as http://mcp-0:8080'],
    [{ backend: ['http://me:secret@host'] }, '--backend: a URL carries a user name'],
    [{ backend: ['http://me:secret,more@host'] }, '--backend: a URL carries a user name'],
    [{ srv: '_mcp._tcp' }, '--srv _mcp._tcp is for --dns: give that too'],
    [{ redis: 'localhost' }, '--redis is not a Redis URL: give one such as redis://localhost:6379'],
    [{ redisSentinels: ['sentinel-0'] }, 'give one such as redis-0:26379'],
    [{ redisSentinels: ['redis://:secret@sentinel-0:1'] }, 'the password as REDIS_PASSWORD'],
    [{ redisCluster: ['redis-0:70000'] }, 'give one such as redis-0:6379'],
    [{ redisCluster: ['redis-0:0'] }, 'give one such as redis-0:6379'],
    [{ redis: 'redis://:secret%zz@a' }, '--redis cannot be read'],
    [{ redis: 'redis:localhost:6379' }, '--redis cannot be read'],
    [{ redis: 'redis://a/sessions' }, '--redis cannot be read'],
    [{ redisMasterName: 'main' }, '--redis-master-name main needs Sentinels'],
    [{ redisPassword: 'secret' }, '--redis-password needs a Redis: give --redis too'],
    [{ statusPassword: 'secret' }, '--status-password needs a page: give --status-path /_mcp too'],
    [{ statusPath: '_mcp' }, '--status-path _mcp is not a plain path: give one such as /_mcp'],
    [{ statusPath: '/mcp' }, '--status-path /mcp hides what is for servers'],
    [{ statusPath: '/' }, '--status-path / hides what is for servers'],
    [{ statusPath: '/v1', path: '/v1/mcp' }, '--status-path /v1 hides what is for servers'],
    [{ statusPath: '/.well-known/x' }, 'hides what is for servers'],
    [{ statusPath: '/.well-known' }, 'hides what is for servers'],
    [{ statusPath: '/sse' }, 'hides what is for servers'],
    [{ statusPath: '/messages' }, 'hides what is for servers'],
    [{ statusPath: '/rpc', messagePath: '/rpc' }, 'hides what is for servers'],
    [{ backend: ['http://a:1?key=secret'] }, '--backend: a URL carries a query'],
    [{ backend: undefined as never, dns: 'http://a:1?key=secret' }, '--dns: a URL carries a query'],
    [{ allowedOrigin: ['https://me:secret@a'] }, '--allowed-origin: an origin has no user name'],
    [{ redisCluster: ['me:secr', 'secret@a:1'] }, 'the password as REDIS_PASSWORD'],
    [{ statusPath: '/_mcp' }, '--status-path needs a STATUS_PASSWORD of at least 12 characters'],
    [{ statusPath: '/_mcp', statusPassword: 'secret' }, 'needs a STATUS_PASSWORD of at least 12'],
    [
      { redis: 'redis://a', redisCluster: ['a:1'] },
      '--redis and --redis-cluster exclude each other',
    ],
    [{ redis: 'redis://:secret@a', redisPassword: 'b' }, 'take the one out of the URL'],
  ])('are refused with their remedy: %j', (flags, message) => {
    expect(() => read(flags)).toThrow(message);
    expect(() => read(flags)).not.toThrow('secret');
  });

  it.each([
    ['PORT', 'abc', 'PORT=abc is not a port'],
    ['RECOVER', 'perhaps', 'RECOVER=perhaps is neither yes nor no: give true or false'],
    ['REDIS_PASSWORD', 'secret', 'REDIS_PASSWORD needs a Redis'],
    ['STORE_SECRET', 'secret', 'STORE_SECRET needs a Redis: give --redis too'],
    ['BACKENDS_SRV', '_mcp._tcp', 'BACKENDS_SRV=_mcp._tcp is for --dns'],
  ])('are refused by the name of the variable: %s=%s', (name, value, message) => {
    const env = { BACKENDS: A, [name]: value };
    expect(() => readSettings({}, env)).toThrow(message);
    expect(() => readSettings({}, env)).not.toThrow('secret');
  });

  it('want a server', () => {
    expect(() => readSettings({}, {})).toThrow(
      'no MCP server is given: give --backend http://mcp-0:8080 --backend http://mcp-1:8080',
    );
  });
});

describe('the Redis of a gateway', () => {
  it.each<[Flags, NodeJS.ProcessEnv, object]>([
    [{ redis: 'rediss://a:1' }, {}, { name: '--redis', kind: 'server', url: 'rediss://a:1' }],
    [
      { redis: 'redis://a' },
      { REDIS_PASSWORD: 'b' },
      { name: '--redis', kind: 'server', url: 'redis://a', password: 'b' },
    ],
    [
      {},
      { REDIS_SENTINELS: 'a:1, [::1]:2' },
      {
        name: 'REDIS_SENTINELS',
        kind: 'sentinels',
        master: 'mymaster',
        sentinels: [
          { host: 'a', port: 1 },
          { host: '::1', port: 2 },
        ],
      },
    ],
    [
      { redisCluster: ['a:1', 'b:2'] },
      { REDIS_URL: 'redis://c', REDIS_MASTER_NAME: 'main' },
      {
        name: '--redis-cluster',
        kind: 'cluster',
        nodes: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
  ])('may be %j with %j', (flags, env, redis) => {
    expect(read(flags, env).redis).toEqual(redis);
  });

  it('may have a password in the URL of a flag, beside a variable that is set aside', () => {
    const { redis } = read({ redis: 'redis://:b@a' }, { REDIS_PASSWORD: 'c' });
    expect(redis).toMatchObject({ name: '--redis', kind: 'server', url: 'redis://:b@a' });
  });
});

describe('the servers of a gateway', () => {
  it('may be in a file, which is read anew', async () => {
    const file = backendsFile([{ id: 'a', url: A }]);
    const { backends } = readSettings({ backendsFile: file.path }, { BACKENDS: 'http://x:1' });
    file.write([{ id: 'b', url: 'http://b:2/' }]);
    expect(backends).toEqual({ list: expect.any(Function), refresh: 500 });
    await expect(Reflect.get(backends, 'list')()).resolves.toEqual([
      { id: 'b', url: 'http://b:2' },
    ]);
  });

  it.each([
    ['[{"id":"a","url":', 'does not hold JSON: give [{"id":"mcp-0","url":"http://mcp-0:8080"}]'],
    ['{"a":"http://a"}', 'does not hold a list: give'],
    ['[null]', 'entry 1 has no url: give'],
    ['[{"url":"http://a"},"http://me:secret@a"]', 'entry 2 has no url: give'],
    ['[{"uri":"http://me:secret@a"}]', 'entry 1 has no url: give'],
    ['[{"url":"http://a:1/mcp"}]', 'give http://a:1 and set --path'],
    ['[{"url":"http://me:secret@a"}]', 'give it without'],
  ])('are refused where the file holds %s', (content, remedy) => {
    const { path } = backendsFile(content);
    expect(() => readSettings({ backendsFile: path }, {})).toThrow(remedy);
    expect(() => readSettings({ backendsFile: path }, {})).not.toThrow('secret');
  });

  it('are refused where there is no file', () => {
    expect(() => readSettings({ backendsFile: '/nowhere.json' }, {})).toThrow(
      '--backends-file /nowhere.json cannot be read (ENOENT): give a file that holds [{"id":"mcp-0"',
    );
  });

  it('may be found by DNS', () => {
    const { backends } = readSettings({ dns: 'http://mcp.example', srv: '_mcp._tcp' }, {});
    expect(backends).toEqual({ list: expect.any(Function), refresh: 5000 });
  });

  it.each<[Flags, string]>([
    [
      { dns: 'http://mcp:80', srv: '_mcp._tcp' },
      '--dns: "http://mcp:80": with --srv the port comes',
    ],
    [{ dns: 'http://mcp', srv: 'mcp' }, '--srv: "mcp" must be a service and its protocol'],
    [{ dns: 'mcp' }, '--dns: "mcp" must be an absolute http or https URL'],
    [
      { dns: 'http://127.0.0.1' },
      '127.0.0.1 is an address, which DNS has no records of; give it to --backend',
    ],
    [{ dns: 'http://me:secret@mcp' }, 'give it without'],
  ])('are refused by DNS: %j', (flags, message) => {
    expect(() => readSettings(flags, {})).toThrow(message);
    expect(() => readSettings(flags, {})).not.toThrow('secret');
  });
});
