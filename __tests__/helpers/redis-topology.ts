import { Redis } from 'ioredis';
import { onCleanup } from './cleanup.ts';
import { freePort, startRedis, type RedisServer } from './redis-server.ts';
import { until } from './until.ts';

/** What a Sentinel calls the master it watches. */
export const MASTER_NAME = 'mymaster';

/** A Redis that is stopped after the test. */
export async function ownRedis(...args: string[]): Promise<RedisServer> {
  return stopped(await startRedis({ args }));
}

/** A replica that is in step with its master, and is stopped after the test. */
export async function replicaOf(master: RedisServer): Promise<RedisServer> {
  return stopped(await startReplica(master));
}

export async function startReplica(master: RedisServer): Promise<RedisServer> {
  const args = ['--replicaof', `${master.host} ${master.port}`];
  const replica = await startRedis({ args });
  await asked(master, async (admin) => feeds(admin, replica));
  return replica;
}

export interface SentinelSet {
  readonly master: RedisServer;
  readonly replicas: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
}

/** A master, two replicas and three Sentinels, which take a master for down that is silent for so long (ms). */
export async function startSentinelSet(downAfter = 1000): Promise<SentinelSet> {
  const master = await ownRedis();
  const replicas = await Promise.all([replicaOf(master), replicaOf(master)]);
  const sentinel = [
    `sentinel monitor ${MASTER_NAME} ${master.host} ${master.port} 2`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfter}`,
    // Also the time after which an election that failed is repeated.
    `sentinel failover-timeout ${MASTER_NAME} 3000`,
  ];
  const sentinels = await Promise.all([1, 2, 3].map(async () => startRedis({ sentinel })));
  for (const each of sentinels) stopped(each);
  await Promise.all(sentinels.map(async (each) => asked(each, knowsAll)));
  return { master, replicas, sentinels };
}

/** Before it knows the replicas and the other Sentinels, a Sentinel starts no failover. */
async function knowsAll(sentinel: Redis): Promise<void> {
  await until(async () => (await sentinel.info('sentinel')).includes('slaves=2,sentinels=3'));
}

/** The port of the master, as a Sentinel sees it. */
export async function masterPort(sentinel: RedisServer): Promise<number> {
  return asked(sentinel, async (admin) => {
    const address = await admin.call('SENTINEL', 'get-master-addr-by-name', MASTER_NAME);
    return Number((address as string[])[1]);
  });
}

/** A Cluster of three masters, and a replica of each. */
export interface ClusterSet {
  readonly masters: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
}

interface ClusterNode {
  readonly server: RedisServer;
  readonly admin: Redis;
  readonly id: string;
  readonly busPort: string;
}

const SLOTS = 16_384;

/** Nodes take another one for down that is silent for so long (ms). */
export async function startClusterSet(downAfter = 1500): Promise<ClusterSet> {
  const nodes = await Promise.all(Array.from({ length: 6 }, () => clusterNode(downAfter)));
  const masters = nodes.slice(0, 3);
  const replicas = nodes.slice(3);
  await Promise.all(
    masters.map(async ({ admin }, n) => {
      await admin.cluster('SET-CONFIG-EPOCH', n + 1);
      const [from, next] = [n, n + 1].map((part) => Math.floor((part * SLOTS) / masters.length));
      await admin.cluster('ADDSLOTSRANGE', from ?? 0, (next ?? 0) - 1);
    }),
  );
  await acquaint(nodes);
  for (const { admin } of nodes) await tells(admin, 'cluster_state:ok');
  for (const [n, { admin }] of replicas.entries()) {
    const replicate = async (): Promise<unknown> =>
      admin.cluster('REPLICATE', masters[n]?.id ?? '');
    // What a node has met it does not know at once as a master.
    await until(async () =>
      replicate().then(
        () => true,
        () => false,
      ),
    );
  }
  for (const [n, { server }] of replicas.entries()) await feeds(masters[n]?.admin, server);
  for (const { admin } of masters) await tells(admin, 'cluster_state:ok');
  for (const { admin } of nodes) admin.disconnect();
  return {
    masters: masters.map(({ server }) => server),
    replicas: replicas.map(({ server }) => server),
  };
}

/** Moves the first slots of the first master to the second one, key by key, as `redis-cli --cluster reshard` does. */
export async function moveSlots({ masters: [from, to] }: ClusterSet, count: number): Promise<void> {
  if (!from || !to) throw new Error('there are no two masters');
  await asked(from, async (source) =>
    asked(to, async (target) => {
      const [sourceId, targetId] = [await source.cluster('MYID'), await target.cluster('MYID')];
      for (let slot = 0; slot < count; slot += 1) {
        await target.cluster('SETSLOT', slot, 'IMPORTING', sourceId);
        await source.cluster('SETSLOT', slot, 'MIGRATING', targetId);
        for (;;) {
          const keys = await source.cluster('GETKEYSINSLOT', slot, 100);
          if (keys.length === 0) break;
          await source.migrate(to.host, to.port, '', 0, 5000, 'KEYS', ...keys);
        }
        await target.cluster('SETSLOT', slot, 'NODE', targetId);
        await source.cluster('SETSLOT', slot, 'NODE', targetId);
      }
    }),
  );
}

/** A Cluster of one node, which is not stopped after the test. */
export async function startSmallestCluster(): Promise<RedisServer> {
  const { server, admin } = await startClusterNode([]);
  await admin.cluster('ADDSLOTSRANGE', 0, SLOTS - 1);
  await tells(admin, 'cluster_state:ok');
  admin.disconnect();
  return server;
}

async function clusterNode(downAfter: number): Promise<ClusterNode> {
  const timeout = ['--cluster-node-timeout', String(downAfter)];
  const node = await startClusterNode(timeout);
  stopped(node.server);
  return node;
}

async function startClusterNode(more: string[]): Promise<ClusterNode> {
  let busPort = '';
  const server = await startRedis({
    async args() {
      // By itself it takes a port that is 10 000 higher than its own, which may be none.
      busPort = String(await freePort());
      const options = ['--cluster-port', busPort, '--cluster-announce-ip', '127.0.0.1'];
      return ['--cluster-enabled', 'yes', ...options, ...more];
    },
  });
  const admin = new Redis(server.url);
  return { server, admin, busPort, id: await admin.cluster('MYID') };
}

/** A node that does not answer within the time after which it is down is forgotten again, so the others repeat it. */
async function acquaint(nodes: readonly ClusterNode[]): Promise<void> {
  const [first, ...others] = nodes;
  let metAt = -Infinity;
  await until(async () => {
    if (performance.now() - metAt > 2000) {
      metAt = performance.now();
      for (const { admin } of others) await meet(admin, first);
    }
    const known = await Promise.all(nodes.map(async ({ admin }) => countKnown(admin)));
    return known.every((count) => count === nodes.length);
  });
}

/** Those of the nodes that a node has heard of, itself too, which have told their own id. */
async function countKnown(admin: Redis): Promise<number> {
  const nodes = String(await admin.call('CLUSTER', 'NODES'))
    .trim()
    .split('\n');
  return nodes.filter((node) => !/handshake|noaddr/.test(node)).length;
}

async function meet(admin: Redis, other: ClusterNode | undefined): Promise<void> {
  if (!other) return;
  const { server, busPort } = other;
  await admin.call('CLUSTER', 'MEET', server.host, server.port, busPort);
}

async function tells(admin: Redis, ...lines: string[]): Promise<void> {
  await until(async () => {
    const info = await admin.cluster('INFO');
    return lines.every((line) => info.includes(line));
  });
}

/** A replica says that its link is up, and its master that it is online, some time before it confirms writes. */
async function feeds(master: Redis | undefined, { port }: RedisServer): Promise<void> {
  await until(async () => {
    const info = (await master?.info('replication')) ?? '';
    if (!info.includes(`port=${port},state=online`)) return false;
    const online = info.match(/state=online/g)?.length ?? 0;
    // A write that needs no key, and changes nothing.
    await master?.call('FUNCTION', 'FLUSH');
    return Number(await master?.wait(online, 1000)) >= online;
  });
}

/** Asks a server something on a connection of its own. */
export async function asked<T>(server: RedisServer, ask: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis(server.url);
  try {
    return await ask(admin);
  } finally {
    admin.disconnect();
  }
}

function stopped(server: RedisServer): RedisServer {
  onCleanup(() => server.stop());
  return server;
}
