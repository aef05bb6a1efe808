import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { findProgram, install, mayInstall } from '../../scripts/apt.mjs';
import { end, freePort, startServer } from './children.ts';

export interface Redis {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** A Redis of its own, that keeps nothing on disk. @throws with the remedy, if there is no redis-server */
export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = await startServer(requireRedis(), [...args, '--loglevel', 'warning'], port);
  return { port, url: `redis://127.0.0.1:${port}`, stop: () => end(child, 'SIGTERM') };
}

function requireRedis(): string {
  const names = ['redis-server', 'valkey-server'];
  if (findProgram(names) === undefined && mayInstall() && !existsSync('/run/systemd/system')) {
    console.error('installing redis-server with apt-get');
    install(['redis-server']);
  }
  const program = findProgram(names);
  if (program === undefined) {
    throw new Error(
      'This needs redis-server or valkey-server (Debian: apt-get install redis-server).',
    );
  }
  return program;
}

export function versionOf(): string {
  const { stdout } = spawnSync(requireRedis(), ['--version'], { encoding: 'utf8' });
  return /v=(\S+)/.exec(stdout)?.[1] ?? '?';
}

/** What stands between a gateway and its Redis, and counts. */
export interface Counter {
  readonly url: string;
  /** Round trips since the last time: what is sent before an answer has come is one. */
  taken(): number;
  stop(): void;
}

/** What a connection sends on its own account, once a second and when it is made. */
const OF_CONNECTIONS = /\r\n(?:INFO|CLIENT|HELLO|SUBSCRIBE|PING)\r\n/i;

export async function countRoundTrips(redis: Redis): Promise<Counter> {
  let trips = 0;
  const server = net.createServer((near) => {
    const far = net.connect(redis.port, '127.0.0.1');
    let waiting = false;
    near.on('data', (bytes: Buffer) => {
      if (!waiting && !OF_CONNECTIONS.test(bytes.toString('latin1'))) trips += 1;
      waiting = true;
      far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => {
      waiting = false;
      near.write(bytes);
    });
    near.on('close', () => far.destroy()).on('error', () => {});
    far.on('close', () => near.destroy()).on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: () => {
      const before = trips;
      trips = 0;
      return before;
    },
    stop: () => void server.close(),
  };
}
