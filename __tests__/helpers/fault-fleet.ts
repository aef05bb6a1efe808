import { backendsFile, type BackendsFile } from './backends-file.ts';
import { onCleanup } from './cleanup.ts';
import { type GatewayProcess, startGateway } from './e2e-gateways.ts';
import { FaultClient } from './fault-client.ts';
import { entryOf, faultServers, type FaultServer, type FaultServers } from './fault-servers.ts';
import { Way } from './fault-way.ts';
import { sharedRedisUrl } from './redis-server.ts';
import { type TcpBalancer, tcpBalancer } from './tcp-balancer.ts';

export interface Fleet {
  readonly servers: FaultServers;
  /** Those that the file names. */
  running: readonly FaultServer[];
  readonly file: BackendsFile;
  readonly balancer: TcpBalancer;
  /** By the balancer. */
  way(): Way;
  gateways: readonly GatewayProcess[];
  startGateway(): Promise<GatewayProcess>;
}

/** Servers a, b, c and two gateways behind a load balancer, each a process of its own, and one Redis. */
export async function startFleet({ work = 5 } = {}): Promise<Fleet> {
  const servers = faultServers({ work });
  const running = await Promise.all(['a', 'b', 'c'].map((id) => servers.start(id)));
  const file = backendsFile(running.map(entryOf));
  const settings = { BACKENDS_FILE: file.path, REDIS_URL: await sharedRedisUrl() };
  const start = async (): Promise<GatewayProcess> => {
    const gateway = await startGateway(settings);
    onCleanup(() => gateway.child.kill());
    return gateway;
  };
  const gateways = await Promise.all([start(), start()]);
  const balancer = await tcpBalancer(...gateways.map(portOf));
  const way = (): Way => new Way(`http://127.0.0.1:${balancer.port}/mcp`);
  return { servers, running, file, balancer, way, gateways, startGateway: start };
}

export function portOf({ url }: GatewayProcess): number {
  return Number(new URL(url).port);
}

export interface Workers {
  readonly clients: readonly FaultClient[];
  /** Calls that were answered. */
  readonly calls: number;
  stop(): Promise<void>;
}

/** Each opens a session and calls again and again, over connections of its own. */
export async function startWorkers(count: number, fleet: Fleet): Promise<Workers> {
  const clients = Array.from({ length: count }, () => new FaultClient([fleet.way()]));
  await Promise.all(clients.map((client) => client.open()));
  const stopped = new AbortController();
  let calls = 0;
  const all = Promise.all(
    clients.map(async (client) => {
      while (!stopped.signal.aborted) if (await client.call()) calls += 1;
    }),
  );
  // Told by `stop`.
  all.catch(() => stopped.abort());
  return {
    clients,
    get calls() {
      return calls;
    },
    async stop() {
      stopped.abort();
      await all;
    },
  };
}
