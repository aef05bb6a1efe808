import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LogEntry } from './request-log.ts';

export interface DemoServers {
  /** Origin of each server by its name. */
  origins: Map<string, string>;
  /** What the servers have written down themselves, in no particular order between servers. */
  log(): LogEntry[];
  /** SIGKILL; resolves when the process is gone. */
  kill(name: string): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** What each process runs. @default 'mcp-server.ts' */
  script?: string;
  env?: Record<string, string>;
}

/** Starts real MCP servers as processes of their own; they end with this process, however it ends. */
export async function startServers(
  names: string[],
  { script = 'mcp-server.ts', env }: ServerOptions = {},
): Promise<DemoServers> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'mcp-session-routing-'));
  const logs = names.map((name) => join(folder, `${name}.jsonl`));
  const children = names.map((name, i) =>
    fork(file, {
      env: { ...process.env, ...env, INSTANCE: name, PORT: '0', REQUEST_LOG: logs[i] },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    }),
  );
  const removeLogs = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeLogs);

  let stopping = false;
  const killed = new Set<ChildProcess>();
  children.forEach((child, i) => {
    child.once('exit', (code, signal) => {
      if (!stopping && !killed.has(child))
        console.error(`demo server ${names[i]} ended (${signal ?? `code ${code}`})`);
    });
  });

  async function stop(): Promise<void> {
    stopping = true;
    await Promise.all(children.map((child) => endChild(child, 'SIGTERM')));
    removeLogs();
  }

  try {
    const urls = await Promise.all(children.map(firstLine));
    return {
      origins: new Map(names.map((name, i) => [name, urls[i] ?? ''])),
      log: () => logs.flatMap(readLog),
      async kill(name) {
        const child = children[names.indexOf(name)];
        if (!child) throw new Error(`there is no server ${name}`);
        killed.add(child);
        await endChild(child, 'SIGKILL');
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the demo server has no standard output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('a demo server ended before it listened');
}

async function endChild(child: ChildProcess, by: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(by);
  await exited;
}

function readLog(file: string): LogEntry[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // A server that was never asked anything has no log.
  }
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LogEntry);
}
