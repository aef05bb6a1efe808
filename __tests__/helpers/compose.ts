import { parseDocument } from 'yaml';
import type { CounterServer } from './counter-server.ts';
import { blockOf } from './markdown.ts';
import { PATIENT, runRecipe, type RecipeOptions, type RunningRecipe } from './run-recipe.ts';
import { until } from './until.ts';

export interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly expose?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
}

/** The services of the recipe for Docker Compose. */
export function composeServices(): Readonly<Record<string, Service>> {
  const document = parseDocument(blockOf('docker-compose', 'yaml'));
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) throw problem;
  const { services } = document.toJS() as { services: Record<string, Service> };
  return services;
}

export function serviceOf(name: string): Service {
  const service = composeServices()[name];
  if (!service) throw new Error(`compose.yaml has no service ${name}`);
  return service;
}

/** Runs the gateway of that recipe with the environment of its service, in front of servers and a Redis of ours. */
export function runComposeGateway(
  name: string,
  servers: readonly Pick<CounterServer, 'origin'>[],
  redis: string,
  options: RecipeOptions = {},
): Promise<RunningRecipe> {
  const given = serviceOf(name).environment ?? {};
  const BACKENDS = servers.map(({ origin }) => origin).join(',');
  const env = { ...given, PORT: '0', BACKENDS, REDIS_URL: redis };
  const replace = { 'listen(Number(PORT))': "listen(Number(PORT), '127.0.0.1')" };
  return runRecipe('docker-compose', {
    ...options,
    env,
    replace: { ...replace, ...options.replace },
  });
}

/** The same, once it is ready; it has patience with its Redis. */
export async function readyComposeGateway(
  name: string,
  servers: readonly Pick<CounterServer, 'origin'>[],
  redis: string,
): Promise<RunningRecipe> {
  const gateway = await runComposeGateway(name, servers, redis, { replace: PATIENT });
  await until(async () => (await fetch(`${gateway.origin}/readyz`)).status === 200);
  return gateway;
}
