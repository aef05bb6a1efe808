import type { ChildProcess } from 'node:child_process';
/** P9: CPU time per request beside HAProxy with a stick table, nginx with Lua, and Fastify's proxy; one backend for all. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { haproxyOn, nginxOn } from './backend-death/fronts.ts';
import { requireServers } from './backend-death/servers.ts';
import { end, freePort } from './lib/children.ts';
import { median } from './lib/comparison.ts';
import { cpuOf } from './lib/cpu.ts';
import { Connection, spread } from './lib/load.ts';
import { call, expectSuccess, initialize, sessionOf } from './lib/messages.ts';
import { shown, type Section } from './lib/result.ts';
import { startBackend, startGateway } from './lib/rounds.ts';
import { TITLES } from './routing.ts';

const ROUNDS = 12;
const WARM_UP = 3;
/** The clock of /proc counts in steps of 10 ms. */
const REQUESTS = 5000;
const CONNECTIONS = 16;
const VARIANTS = ['forward-node', 'forward', 'fastify', 'plain4', 'recommended4'];

interface Peer {
  readonly title: string;
  readonly child: ChildProcess;
  readonly connections: readonly Connection[];
  readonly ask: (connection: Connection) => Promise<void>;
  readonly costs: number[];
}

export async function peers(): Promise<Section> {
  const servers = requireServers();
  const backend = await startBackend();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'peers-'));
  const backendPort = Number(new URL(backend.url).port);
  const ports = [backendPort, backendPort, backendPort];
  const [first, second] = [await freePort(), await freePort()];
  const haproxy = await haproxyOn({ port: first, ports, folder, servers });
  const nginx = await nginxOn({ port: second, ports, folder, servers });
  const measured = [
    await peerOf(`HAProxy ${servers.versions.haproxy}, stick table`, haproxy, first),
    await peerOf(`nginx ${servers.versions.nginx} with Lua`, nginx, second),
  ];
  for (const variant of VARIANTS) {
    const gateway = await startGateway({ TARGET: backend.url, VARIANTS: variant });
    const port = Number(new URL(gateway.urls[0] ?? '').port);
    measured.push(await peerOf(TITLES[variant] ?? variant, gateway.child, port));
  }
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    for (const peer of round % 2 === 0 ? measured : measured.toReversed()) {
      const { pid = 0 } = peer.child;
      const before = cpuOf(pid) ?? Number.NaN;
      await spread(peer.connections, REQUESTS, peer.ask);
      const cost = (((cpuOf(pid) ?? Number.NaN) - before) / REQUESTS) * 1000;
      if (round >= 0) peer.costs.push(cost);
    }
  }
  for (const { child, connections } of measured) {
    for (const connection of connections) connection.close();
    await end(child, 'SIGTERM');
  }
  await end(backend.child, 'SIGTERM');
  rmSync(folder, { recursive: true, force: true });
  const costs = measured.map((peer) => ({ title: peer.title, cost: median(peer.costs) }));
  const [proxy, , node, withExpress] = costs;
  const against = proxy?.cost ?? Number.NaN;
  return {
    figures: [
      {
        ...{
          id: 'P9',
          what: 'sessionForwarder on node:http: CPU time per request against HAProxy',
        },
        ...{ value: (node?.cost ?? Number.NaN) / against, unit: 'x', atMost: 4 },
      },
      {
        ...{ id: 'P9', what: 'sessionForwarder on Express: the same' },
        ...{ value: (withExpress?.cost ?? Number.NaN) / against, unit: 'x' },
      },
    ],
    tables: [
      {
        title: `CPU time per request of a session, ${CONNECTIONS} connections, each in a process of its own`,
        head: ['', 'CPU per request', 'against HAProxy'],
        rows: costs.map(({ title, cost }) => [
          title,
          shown(cost, 'us'),
          shown(cost / against, 'x'),
        ]),
      },
    ],
  };
}

async function peerOf(title: string, child: ChildProcess, port: number): Promise<Peer> {
  const url = `http://127.0.0.1:${port}`;
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(url));
  const [first] = connections;
  const request = call(first ? sessionOf(await first.ask(initialize())) : '');
  return {
    ...{ title, child, connections, costs: [] },
    ask: async (connection) => expectSuccess(await connection.ask(request)),
  };
}
