import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly pid: number;
  /** Standard output and errors so far. */
  output(): string;
  /** The first match of `pattern` in the output, now or later. */
  printed(pattern: RegExp): Promise<string>;
  /** The port the child has told by IPC. */
  readonly port: Promise<number>;
  readonly exited: Promise<unknown>;
  /** SIGTERM. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

const FIXTURES = new URL('../fixtures/e2e', import.meta.url).href;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const running = new Set<Child>();

/**
 * Runs a program that ends with this process, however that ends. The `preloads`, of the fixtures, run before it.
 */
export function startChild(
  program: string[],
  env: Record<string, string>,
  preloads: string[] = [],
  cwd: string = ROOT,
): Child {
  const own = ['follow-parent.ts', ...preloads].map((file) => `${FIXTURES}/${file}`);
  const imports = ['tsx', ...own].flatMap((file) => ['--import', file]);
  const child = spawn(process.execPath, [...imports, ...program], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const [name] = program;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const exited = once(child, 'exit');
  const gone = exited.then((): never => {
    throw new Error(`${name} has ended:\n${output}`);
  });
  gone.catch(() => {});

  const started: Child = {
    pid: Number(child.pid),
    output: () => output,
    printed: (pattern) => Promise.race([match(child, () => output, pattern), gone]),
    port: Promise.race([toldPort(child), gone]),
    exited,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
  started.port.catch(() => {});
  running.add(started);
  return started;

  async function end(signal: NodeJS.Signals): Promise<void> {
    running.delete(started);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await exited;
  }
}

/** Ends what a test has left running. */
export async function killChildren(): Promise<void> {
  await Promise.all([...running].map((child) => child.kill()));
}

async function match(child: ChildProcess, output: () => string, pattern: RegExp): Promise<string> {
  for (;;) {
    const found = pattern.exec(output());
    if (found) return found[1] ?? found[0];
    await new Promise((resolve) => {
      child.stdout?.once('data', resolve);
      child.stderr?.once('data', resolve);
    });
  }
}

async function toldPort(child: ChildProcess): Promise<number> {
  const [message] = (await once(child, 'message')) as [{ listening: { port: number } }];
  return message.listening.port;
}
