import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { end, freePort, startNode } from '../lib/children.ts';

export interface Backends {
  readonly ports: readonly number[];
  /** SIGKILL. */
  kill(name: string): Promise<void>;
  /** A new process on the old port; it knows no session. */
  restart(name: string): Promise<void>;
  stop(): Promise<void>;
}

export const NAMES = ['a', 'b', 'c'] as const;

export async function startBackends(folder: string): Promise<Backends> {
  const children = new Map<string, ChildProcess>();
  const ports = new Map<string, number>();
  const start = async (name: string, life: number): Promise<void> => {
    const instance = `${name}${life}`;
    const log = path.join(folder, `${instance}.log`);
    const env = { INSTANCE: instance, LOG: log, PORT: String(ports.get(name)) };
    const { child } = await startNode(new URL('backend.ts', import.meta.url), env);
    children.set(name, child);
  };
  const stop = async (name: string, signal: NodeJS.Signals): Promise<void> => {
    const child = children.get(name);
    if (child) await end(child, signal);
  };

  for (const name of NAMES) {
    ports.set(name, await freePort());
    await start(name, 1);
  }
  return {
    ports: [...ports.values()],
    kill: (name) => stop(name, 'SIGKILL'),
    restart: (name) => start(name, 2),
    stop: async () => {
      await Promise.all(NAMES.map((name) => stop(name, 'SIGTERM')));
    },
  };
}
