import { deferred } from './deferred.ts';
import { type Backends, startBackends, type ServerKind } from './e2e-backends.ts';
import { type ClientKind, createClient, type RealClient } from './e2e-clients.ts';
import { type GatewayProcess, startGateway } from './e2e-gateways.ts';
import { post } from './e2e-runs.ts';
import { startRedis, type RedisServer } from './redis-server.ts';
import { until } from './until.ts';

export interface Resuming {
  readonly client: RealClient;
  readonly backends: Backends;
  /** The gateways there are; the client uses the last one. */
  readonly gateways: GatewayProcess[];
  startGateway(): Promise<GatewayProcess>;
  /** The server tells the session something on its GET stream; the call that makes it do so comes from elsewhere. */
  announce(text: string): Promise<void>;
  /** Resolves when the client has asked for the rest of a stream; it waits until `resume` is called. */
  readonly asking: Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

/** A client with an open GET stream on which it has heard "before", through one gateway on a Redis. */
export async function startResuming(kind: ClientKind, server: ServerKind): Promise<Resuming> {
  const [redis, backends] = await Promise.all([startRedis(), startBackends(server)]);
  const gateways: GatewayProcess[] = [];
  const [asking, released] = [deferred(), deferred()];
  const at = (): string => gateways.at(-1)?.url ?? '';
  const resuming: Omit<Resuming, 'client'> = {
    ...{ backends, gateways, asking: asking.promise, resume: () => released.resolve() },
    async startGateway() {
      const started = await startGateway({ BACKENDS: backends.list, REDIS_URL: redis.url });
      gateways.push(started);
      return started;
    },
    async announce(text) {
      const params = { name: 'announce', arguments: { nonce: text } };
      await (await post(at(), client.session(), { method: 'tools/call', params })).text();
    },
    stop: () => stop(client, { redis, backends, gateways }),
  };
  await resuming.startGateway();
  const client = createClient(kind, at(), {
    async fetch(_to, init) {
      if (new Headers(init?.headers).has('last-event-id')) {
        asking.resolve();
        await released.promise;
      }
      return fetch(at(), init);
    },
  });
  await client.open();
  await client.listening();
  await resuming.announce('before');
  await until(() => client.heard().length === 1);
  return { client, ...resuming };
}

async function stop(
  client: RealClient,
  parts: { redis: RedisServer; backends: Backends; gateways: readonly GatewayProcess[] },
): Promise<void> {
  await client.close();
  await Promise.all(parts.gateways.map(({ child }) => child.kill()));
  await Promise.all([parts.backends.stop(), parts.redis.stop()]);
}
