import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { dnsBackends } from '../../src/index.ts';
import { fieldsOf, manifestsOf } from '../helpers/manifests.ts';

const read = (name: string): string =>
  readFileSync(new URL(`../../examples/kubernetes/${name}`, import.meta.url), 'utf8');

const servers = manifestsOf(read('mcp.yaml'));
const gateways = manifestsOf(read('gateway.yaml'));
const program = read('gateway.ts');
const env = gateways.container.env ?? [];
const valueOf = (name: string): string =>
  env.find((variable) => variable.name === name)?.value ?? `${name} is not set`;

describe.each([
  ['mcp.yaml', servers],
  ['gateway.yaml', gateways],
])('in %s', (_file, { service, workload, budget, container }) => {
  test('the Service, the pods and the budget have the same label', () => {
    const { labels } = workload.spec.template.metadata;
    expect(service.spec.selector).toEqual(labels);
    expect(workload.spec.selector.matchLabels).toEqual(labels);
    expect(budget.spec.selector.matchLabels).toEqual(labels);
  });

  test('the Service and the probes use ports that the container has', () => {
    const named = container.ports.map(({ name }) => name);
    expect(service.spec.ports.map((port) => port.targetPort)).toEqual(named);
    const { readinessProbe, livenessProbe } = container;
    for (const probe of [readinessProbe, livenessProbe ?? readinessProbe])
      expect(named).toContain((probe.httpGet ?? probe.tcpSocket)?.port);
  });

  test('a drain of nodes leaves a pod', () => {
    expect(workload.spec.replicas).toBeGreaterThan(budget.spec.maxUnavailable);
  });
});

describe('the gateway finds the servers', () => {
  const url = valueOf('BACKENDS_URL').replace('$(POD_NAMESPACE)', 'default');

  test('under the name of their Service, by the name of its port', () => {
    const [port] = servers.service.spec.ports;
    expect(url).toBe(`http://${servers.service.metadata.name}.default.svc.cluster.local`);
    expect(valueOf('BACKENDS_SRV')).toBe(`_${port?.name}._tcp`);
    expect(dnsBackends(url, { srv: valueOf('BACKENDS_SRV') })).toHaveProperty('list');
  });

  test('in its own namespace, which Kubernetes fills in from variables that stand before', () => {
    const names = env.map(({ name }) => name);
    expect(valueOf('BACKENDS_URL')).toContain('.$(POD_NAMESPACE).');
    expect(names.indexOf('POD_NAMESPACE')).toBeLessThan(names.indexOf('BACKENDS_URL'));
  });

  test('each by a name of its own, ready or not', () => {
    const { service, workload } = servers;
    expect(workload).toMatchObject({
      kind: 'StatefulSet',
      spec: { serviceName: service.metadata.name },
    });
    expect(service.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  });

  test('again after an update, before the next server goes', () => {
    const refresh = (dnsBackends(url).refresh ?? 0) / 1000;
    const longestTtl = 30;
    expect(servers.workload.spec.minReadySeconds).toBeGreaterThanOrEqual(refresh + longestTtl);
  });
});

describe('the gateway', () => {
  test('is given the variables that it reads, and no others', () => {
    const reads = [...program.matchAll(/required\('(\w+)'\)/g)].map(([, name = '']) => name);
    const helper = 'POD_NAMESPACE';
    expect(env.map(({ name }) => name).toSorted()).toEqual([...reads, helper].toSorted());
  });

  test('listens where its Service sends requests', () => {
    expect(valueOf('PORT')).toBe(String(gateways.container.ports[0]?.containerPort));
  });

  test('serves what its probes ask for, before sessions are looked at', () => {
    const { readinessProbe, livenessProbe } = gateways.container;
    const [own = ''] = program.split('app.use(sessions)');
    const served = [...own.matchAll(/app\.get\('([^']+)'/g)].map(([, path]) => path);
    expect([livenessProbe?.httpGet?.path, readinessProbe.httpGet?.path]).toEqual(served);
  });

  test('has time for preStop and for its drain before it is killed', () => {
    const { terminationGracePeriodSeconds: grace } = gateways.workload.spec.template.spec;
    const preStop = gateways.container.lifecycle?.preStop.sleep.seconds ?? 0;
    expect(preStop).toBeGreaterThanOrEqual(5);
    expect(grace).toBeGreaterThanOrEqual(preStop + Number(valueOf('DRAIN_SECONDS')) + 5);
  });

  test('goes only when its successor is ready', () => {
    expect(gateways.workload.spec.replicas).toBeGreaterThanOrEqual(2);
    expect(gateways.workload.spec.strategy?.rollingUpdate).toEqual({
      maxUnavailable: 0,
      maxSurge: 1,
    });
  });
});

test.each(['mcp.yaml', 'gateway.yaml'])('the README explains every line of %s', (file) => {
  const page = read('README.md');
  const unexplained = fieldsOf(read(file)).filter(
    (field) => !new RegExp(`\`${field}[\`:]`).test(page),
  );
  expect(unexplained).toEqual([]);
});
