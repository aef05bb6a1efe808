import { isMap, isScalar, parseAllDocuments, visit } from 'yaml';

type Labels = Record<string, string>;

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly tcpSocket?: { readonly port: string };
}

export interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly readinessProbe: Probe;
  readonly livenessProbe?: Probe;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

export interface Service extends Manifest {
  readonly spec: {
    readonly selector: Labels;
    readonly ports: readonly { readonly name: string; readonly targetPort: string }[];
  };
}

export interface Workload extends Manifest {
  readonly spec: {
    readonly replicas: number;
    readonly minReadySeconds?: number;
    readonly strategy?: { readonly rollingUpdate: object };
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [Container];
      };
    };
  };
}

export interface Budget extends Manifest {
  readonly spec: {
    readonly maxUnavailable: number;
    readonly selector: { readonly matchLabels: Labels };
  };
}

export interface Manifests {
  readonly service: Service;
  readonly workload: Workload;
  readonly budget: Budget;
  /** The one container of the workload. */
  readonly container: Container;
}

/** A Service, what runs behind it, and its PodDisruptionBudget, in this order. */
export function manifestsOf(text: string): Manifests {
  const documents = parseAllDocuments(text).map((document) => {
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem) throw problem;
    return document.toJS() as unknown;
  });
  const [service, workload, budget] = documents as [Service, Workload, Budget];
  return { service, workload, budget, container: workload.spec.template.spec.containers[0] };
}

// They say what kind of thing follows, or are the same everywhere.
const PLAIN = ['apiVersion', 'kind', 'metadata', 'spec', 'template', 'app', 'name', 'value'];

/** The names of all fields, and of the variables of the environment. */
export function fieldsOf(text: string): string[] {
  const fields = new Set<string>();
  for (const document of parseAllDocuments(text)) {
    visit(document, {
      Pair(_key, { key, value }) {
        if (isScalar(key)) fields.add(String(key.value));
        const variables = isScalar(key) && key.value === 'env' && 'items' in Object(value);
        if (variables) for (const name of namesIn(value)) fields.add(name);
      },
    });
  }
  return [...fields].filter((field) => !PLAIN.includes(field));
}

function namesIn(list: unknown): string[] {
  const { items } = list as { items: unknown[] };
  return items.flatMap((item) => (isMap(item) ? String(item.get('name')) : []));
}
