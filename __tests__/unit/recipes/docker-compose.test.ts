import { describe, expect, test } from '@jest/globals';
import { composeServices, serviceOf } from '../../helpers/compose.ts';
import { blockOf, pageOf } from '../../helpers/markdown.ts';

const services = composeServices();
const program = blockOf('docker-compose', 'ts');
const conf = blockOf('load-balancer', 'nginx');
const gateways = Object.keys(services).filter((name) => name.startsWith('gateway-'));

test('whatever a service depends on is a service that has a health check', () => {
  const awaited = Object.values(services).flatMap(({ depends_on: on = {} }) => Object.entries(on));
  expect(awaited.length).toBeGreaterThan(2);
  for (const [name, { condition }] of awaited) {
    expect(condition).toBe('service_healthy');
    expect(serviceOf(name).healthcheck).toBeDefined();
  }
});

describe.each(gateways)('%s', (name) => {
  const { environment = {}, healthcheck, stop_grace_period: grace = '', command } = serviceOf(name);

  test('is given the variables that the program reads, and no others', () => {
    const [, names = ''] = /^const \{(.+)\} = process\.env;$/m.exec(program) ?? [];
    const reads = [...names.matchAll(/([A-Z_]+) = ''/g)].map(([, variable]) => variable);
    expect(Object.keys(environment)).toEqual(reads);
  });

  test('finds its servers and its Redis under the names of services, on ports that they have', () => {
    const backends = environment.BACKENDS?.split(',') ?? [];
    expect(backends.length).toBeGreaterThan(1);
    for (const backend of backends) {
      const { hostname, port } = new URL(backend);
      expect(serviceOf(hostname).expose).toEqual([port]);
    }
    const { hostname, port } = new URL(environment.REDIS_URL ?? '');
    expect(serviceOf(hostname).command?.[0]).toBe('redis-server');
    expect(port).toBe('6379');
  });

  test('is asked for a path that it serves, where it listens', () => {
    const [, url = ''] = /fetch\('([^']+)'\)/.exec(healthcheck?.test.join(' ') ?? '') ?? [];
    const { port, pathname } = new URL(url);
    expect(port).toBe(environment.PORT);
    expect(program).toContain(`app.get('${pathname}'`);
    const [own] = program.split('app.use(sessions)');
    expect(own).toContain(pathname);
  });

  test('has more time than its drain takes, and gets SIGTERM itself', () => {
    const [, drain = ''] = /drain: ([\d_]+)/.exec(program) ?? [];
    expect(Number.parseInt(grace, 10) * 1000).toBeGreaterThan(Number(drain.replaceAll('_', '')));
    expect(program).toContain("process.once('SIGTERM'");
    expect(command?.[0]).toBe('node');
  });
});

test('nginx knows all gateways, and listens where its service says', () => {
  const known = [...conf.matchAll(/server ([\w-]+):(\d+);/g)].map(([, name, port]) => [name, port]);
  expect(known).toEqual(gateways.map((name) => [name, serviceOf(name).environment?.PORT]));
  const [, listens] = /listen (\d+);/.exec(conf) ?? [];
  const front = serviceOf('front');
  expect(front.ports?.map((each) => each.split(':')[1])).toEqual([listens]);
  expect(Object.keys(front.depends_on ?? {})).toEqual(gateways);
  expect(front.volumes?.join()).toContain('nginx.conf:/etc/nginx/conf.d/default.conf');
});

test('gateways keep unused connections for longer than nginx does', () => {
  const [, keeps = ''] = /keepAliveTimeout = ([\d_]+)/.exec(program) ?? [];
  expect(Number(keeps.replaceAll('_', ''))).toBeGreaterThan(60_000);
  expect(pageOf('docs/recipes/load-balancer.md')).toContain(`keepAliveTimeout = ${keeps}`);
});
