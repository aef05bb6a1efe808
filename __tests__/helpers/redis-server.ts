import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { requireRedisServer } from '../../scripts/ensure-redis.mjs';
import { aclArguments } from './redis-acl.ts';

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 20_000;

export interface RedisServerOptions {
  /** The port to listen on. @default a free one */
  port?: number;
  /** More arguments of `redis-server`, such as `['--maxmemory', '2mb']`; a function makes them for each attempt. */
  args?: string[] | (() => Promise<string[]>);
  /** Lines of configuration: start a Sentinel. */
  sentinel?: string[];
}

export interface RedisServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Ends the server in good order (SIGTERM). */
  stop(): Promise<void>;
  /** Ends the server at once (SIGKILL). */
  kill(): Promise<void>;
  /** Keeps the server's connections open, and silent (SIGSTOP). */
  freeze(): void;
  thaw(): void;
  /** Starts the server again, empty, on the same port. */
  restart(): Promise<void>;
}

/** Starts a Redis that only this test uses, and may break. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { args = [], sentinel } = options;
  let started: { port: number; more: string[]; server: Running } | undefined;
  for (let attempt = 1; started === undefined; attempt += 1) {
    const port = options.port ?? (await freePort());
    const more = typeof args === 'function' ? await args() : args;
    try {
      started = { port, more, server: await run(port, more, sentinel) };
    } catch (error) {
      // Between finding a free port and listening on it, somebody else may have taken it.
      if (options.port !== undefined || attempt === 3) throw error;
    }
  }
  const { port, more } = started;
  let { server } = started;
  return {
    url: `redis://${HOST}:${port}`,
    host: HOST,
    port,
    get pid() {
      return server.pid;
    },
    stop: () => end(server, 'SIGTERM'),
    kill: () => end(server, 'SIGKILL'),
    freeze: () => void process.kill(server.pid, 'SIGSTOP'),
    thaw: () => void process.kill(server.pid, 'SIGCONT'),
    async restart() {
      await end(server, 'SIGKILL');
      server = await run(port, more, sentinel);
    },
  };
}

let shared: Promise<RedisServer> | undefined;

/**
 * A Redis for tests which do not break it: `REDIS_URL` if that is set, else one server per test
 * file, ended after the run. Others may use the same server: choose keys nobody else has.
 */
export async function sharedRedisUrl(): Promise<string> {
  if (process.env.REDIS_URL) return process.env.REDIS_URL;
  shared ??= startRedis();
  return (await shared).url;
}

interface Running {
  child: ChildProcess;
  pid: number;
  folder: string;
}

async function run(port: number, args: string[], sentinel?: string[]): Promise<Running> {
  const parent = process.env.TEST_REDIS_DIR ?? tmpdir();
  const folder = await mkdtemp(path.join(parent, 'redis-'));
  const log = path.join(folder, 'redis.log');
  const child = spawn(
    requireRedisServer(),
    [
      ...(sentinel ? [await sentinelConfig(folder, sentinel), '--sentinel'] : []),
      ...['--port', String(port), '--bind', HOST, '--dir', folder],
      ...(sentinel ? [] : ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0']),
      ...(sentinel ? [] : aclArguments()),
      ...['--pidfile', path.join(folder, 'redis.pid'), '--logfile', log],
      ...args,
    ],
    { stdio: 'ignore' },
  );
  await once(child, 'spawn');
  // A server that a failed test left running must not keep the test process alive.
  child.unref();
  const server = { child, pid: Number(child.pid), folder };
  if (!(await answers(server, port))) {
    const reason = await readFile(log, 'utf8').catch(() => 'no log');
    await end(server, 'SIGKILL');
    throw new Error(`redis-server did not start on port ${port}:\n${reason}`);
  }
  return server;
}

/** A Sentinel writes into its configuration what it learns. */
async function sentinelConfig(folder: string, lines: string[]): Promise<string> {
  const file = path.join(folder, 'sentinel.conf');
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  return file;
}

async function answers(server: Running, port: number): Promise<boolean> {
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!hasEnded(server) && Date.now() < deadline) {
    if (await isServing(port, server.pid)) return true;
    await delay(5);
  }
  return false;
}

// Asks for the process id: on a port that was taken, another server would answer a PING.
function isServing(port: number, pid: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write('INFO server\r\n'));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(false));
    socket.once('data', (answer) => {
      // With `requirepass` a server that is ready answers an error.
      resolve(new RegExp(`process_id:${pid}\\r|^-NOAUTH`).test(answer.toString()));
      socket.destroy();
    });
  });
}

async function end(server: Running, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!hasEnded(server)) {
    server.child.ref();
    const exit = once(server.child, 'exit');
    server.child.kill(signal);
    // A frozen server gets a SIGTERM only when it goes on.
    server.child.kill('SIGCONT');
    const timer = setTimeout(() => server.child.kill('SIGKILL'), 5_000);
    await exit;
    clearTimeout(timer);
  }
  await rm(server.folder, { recursive: true, force: true });
}

function hasEnded({ child }: Running): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A port that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, HOST, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
