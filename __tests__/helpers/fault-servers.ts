import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BackendEntry } from '../../src/index.ts';
import type { ServerEntry } from '../fixtures/faults/server-entry.ts';
import { onCleanup } from './cleanup.ts';
import { type Child, startChild } from './e2e-children.ts';

/** One process. */
export interface FaultServer extends BackendEntry {
  readonly id: string;
  readonly url: string;
  readonly port: number;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
  /** Lets its requests finish, and ends it (SIGTERM). */
  stop(): Promise<void>;
  /** Keeps its connections open, and silent (SIGSTOP). */
  freeze(): void;
  thaw(): void;
  /** Every byte it has received. */
  received(): string;
}

export interface FaultServers {
  /** Starts a process of that name; the port may be that of one that has ended. */
  start(id: string, port?: number): Promise<FaultServer>;
  /** What all of them have written down, those that were killed too; in the order of each one. */
  history(): ServerEntry[];
}

export interface FaultServersOptions {
  /** What a call takes (ms). @default 0 */
  readonly work?: number;
}

/** Stateful servers, each a process of its own with a log; they end with the test. */
export function faultServers({ work = 0 }: FaultServersOptions = {}): FaultServers {
  const folder = mkdtempSync(path.join(tmpdir(), 'faults-'));
  onCleanup(() => rmSync(folder, { recursive: true, force: true }));
  return {
    async start(id, port) {
      const wire = path.join(folder, `${id}.wire`);
      const child = startChild(['__tests__/fixtures/faults/server.ts'], {
        INSTANCE: id,
        SERVER_LOG: path.join(folder, `${id}.log`),
        WIRE_LOG: wire,
        PORT: String(port ?? (await quietPort())),
        WORK: String(work),
      });
      onCleanup(() => child.kill());
      return serverOf(id, await child.port, child, wire);
    },
    history() {
      const logs = readdirSync(folder).filter((name) => name.endsWith('.log'));
      return logs
        .flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n'))
        .filter(Boolean)
        .map((line) => JSON.parse(line) as ServerEntry);
    },
  };
}

function serverOf(id: string, port: number, child: Child, wire: string): FaultServer {
  return {
    ...{ id, port },
    url: `http://127.0.0.1:${port}`,
    kill: () => child.kill(),
    stop: () => child.stop(),
    freeze: () => void process.kill(child.pid, 'SIGSTOP'),
    thaw: () => void process.kill(child.pid, 'SIGCONT'),
    received() {
      try {
        return readFileSync(wire, 'latin1');
      } catch {
        return '';
      }
    },
  };
}

/** As BACKENDS_FILE names it. */
export function entryOf({ id, url }: FaultServer): BackendEntry {
  return { id, url };
}

/**
 * A port below those of outgoing connections: while a server is dead, one of those must not take its port, nor be
 * connected to itself.
 */
async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const probe = net.createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}
