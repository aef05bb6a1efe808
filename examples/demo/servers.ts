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
  stop(): Promise<void>;
}

const SERVER = fileURLToPath(new URL('mcp-server.ts', import.meta.url));

/** Starts real MCP servers as processes of their own; they end with this process, however it ends. */
export async function startServers(names: string[], mcpPath = '/mcp'): Promise<DemoServers> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-session-routing-'));
  const logs = names.map((name) => join(folder, `${name}.jsonl`));
  const children = names.map((name, i) =>
    fork(SERVER, {
      env: { ...process.env, INSTANCE: name, MCP_PATH: mcpPath, PORT: '0', REQUEST_LOG: logs[i] },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    }),
  );
  const removeLogs = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeLogs);

  let stopping = false;
  children.forEach((child, i) => {
    child.once('exit', (code, signal) => {
      if (!stopping) console.error(`demo server ${names[i]} ended (${signal ?? `code ${code}`})`);
    });
  });

  async function stop(): Promise<void> {
    stopping = true;
    await Promise.all(children.map(endChild));
    removeLogs();
  }

  try {
    const urls = await Promise.all(children.map(firstLine));
    return {
      origins: new Map(names.map((name, i) => [name, urls[i] ?? ''])),
      log: () => logs.flatMap(readLog),
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

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
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
