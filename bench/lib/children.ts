import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const START_TIMEOUT = 10_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(1));
}

export interface StartedNode {
  readonly child: ChildProcess;
  /** What it has told by IPC as soon as it listened. */
  readonly message: unknown;
}

/** Runs a file that tells by IPC that it listens. */
export async function startNode(
  file: URL,
  env: Record<string, string>,
  flags: readonly string[] = [],
): Promise<StartedNode> {
  const loader = file.pathname.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const child = fork(file, { env: { ...process.env, ...env }, execArgv: [...loader, ...flags] });
  watch(child);
  const name = file.pathname;
  const [message] = (await Promise.race([
    once(child, 'message'),
    ended(child, name),
    late(name),
  ])) as [unknown];
  return { child, message };
}

/** Runs a server that is ready as soon as `port` takes connections. */
export async function startServer(
  command: string,
  args: string[],
  port: number,
): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  watch(child);
  await Promise.race([accepts(port), ended(child, command), late(command)]);
  return child;
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/**
 * Below the ports of outgoing connections: while a backend is dead, one of those must not take its port, nor be
 * connected to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = net.createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

function watch(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

async function ended(child: ChildProcess, name: string): Promise<never> {
  await once(child, 'exit');
  throw new Error(`${name} ended before it listened`);
}

async function late(name: string): Promise<never> {
  await delay(START_TIMEOUT, undefined, { ref: false });
  throw new Error(`${name} does not listen after ${START_TIMEOUT} ms`);
}

async function accepts(port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT;
  while (Date.now() < deadline) {
    const socket = net.connect(port, '127.0.0.1');
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (connected) return;
    await delay(20);
  }
}
