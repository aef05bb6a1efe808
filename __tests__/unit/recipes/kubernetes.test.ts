import { expect, test } from '@jest/globals';
import { parseDocument } from 'yaml';
import { manifestsOf } from '../../helpers/manifests.ts';
import { blockOf, pageOf } from '../../helpers/markdown.ts';

interface Route {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly rules: readonly [
      {
        readonly matches: readonly {
          readonly path: { readonly type: string; readonly value: string };
        }[];
        readonly timeouts: { readonly request: string };
        readonly backendRefs: readonly [{ readonly name: string; readonly port: number }];
      },
    ];
  };
}

interface Policy {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly podSelector: { readonly matchLabels: object };
    readonly policyTypes: readonly string[];
    readonly ingress: readonly [
      {
        readonly from: readonly [{ readonly podSelector: { readonly matchLabels: object } }];
        readonly ports: readonly { readonly port: string }[];
      },
    ];
  };
}

function parsed(number: number): unknown {
  const document = parseDocument(blockOf('kubernetes', 'yaml', number));
  expect([...document.errors, ...document.warnings]).toEqual([]);
  return document.toJS();
}

const gateways = manifestsOf(pageOf('examples/kubernetes/gateway.yaml'));
const servers = manifestsOf(pageOf('examples/kubernetes/mcp.yaml'));

test('the route leads to the Service of the gateways, on the paths that they serve, without a limit', () => {
  const route = parsed(0) as Route;
  expect([route.apiVersion, route.kind]).toEqual(['gateway.networking.k8s.io/v1', 'HTTPRoute']);
  const [{ matches, timeouts, backendRefs }] = route.spec.rules;
  const { name } = gateways.service.metadata;
  const [{ port }] = gateways.service.spec.ports as unknown as [{ port: number }];
  expect(backendRefs).toEqual([{ name, port }]);
  expect(timeouts).toEqual({ request: '0s' });
  const program = pageOf('examples/kubernetes/gateway.ts');
  expect(matches.map(({ path }) => path.value)).toEqual(['/mcp', '/.well-known']);
  expect(program).toContain("['/mcp', /^\\/\\.well-known\\//]");
});

test('the policy lets the gateways reach the port of the servers, and nobody else', () => {
  const policy = parsed(1) as Policy;
  expect([policy.apiVersion, policy.kind]).toEqual(['networking.k8s.io/v1', 'NetworkPolicy']);
  const { podSelector, policyTypes, ingress } = policy.spec;
  expect(podSelector.matchLabels).toEqual(servers.workload.spec.template.metadata.labels);
  expect(policyTypes).toEqual(['Ingress']);
  const labels = gateways.workload.spec.template.metadata.labels;
  expect(ingress).toEqual([
    {
      from: [{ podSelector: { matchLabels: labels } }],
      ports: servers.container.ports.map(({ name }) => ({ port: name })),
    },
  ]);
});
