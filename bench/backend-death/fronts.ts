import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { end, freePort, startNode, startServer } from './children.ts';
import { cpuOf } from './cpu.ts';
import type { Servers } from './servers.ts';

export interface Front {
  readonly name: string;
  readonly title: string;
  /** Has a panel of the chart; the others are in the table only. */
  readonly drawn: boolean;
  readonly url: string;
  /** CPU time so far (ms). */
  readonly cpu: () => number | null;
  stop(): Promise<void>;
}

interface Plan {
  readonly name: string;
  readonly title: string;
  readonly drawn: boolean;
  readonly start: (port: number) => Promise<ChildProcess>;
}

/** All in front of the same backends, so that they see the same death. */
export async function startFronts(
  servers: Servers,
  ports: readonly number[],
  folder: string,
): Promise<Front[]> {
  const [a, b, c] = ports;
  const common = { BACKEND_A: a, BACKEND_B: b, BACKEND_C: c };
  const haproxy = (name: string, redispatch: number) => (port: number) => {
    const file = fill('haproxy.cfg', folder, name, {
      ...common,
      PORT: port,
      REDISPATCH: redispatch,
    });
    return startServer(servers.haproxy, ['-db', '-q', '-f', file], port);
  };
  const nginx = (name: string, moreTries: number) => (port: number) => {
    const values = { LOAD_MODULES: servers.loadModules, MORE_TRIES: moreTries };
    const file = fill('nginx.conf', folder, name, { ...common, PORT: port, ...values });
    return startServer(servers.nginx, ['-p', path.dirname(file), '-c', file], port);
  };
  const backends = ports.map((port) => `http://127.0.0.1:${port}`).join(',');
  const plans: Plan[] = [
    {
      name: 'gateway',
      title: 'mcp-session-routing',
      drawn: true,
      start: (port) => startNode('gateway.ts', { BACKENDS: backends, PORT: String(port) }),
    },
    {
      name: 'haproxy',
      title: 'HAProxy, stick table',
      drawn: true,
      start: haproxy('haproxy', -1),
    },
    {
      name: 'nginx',
      title: 'nginx with Lua',
      drawn: true,
      start: nginx('nginx', ports.length - 1),
    },
    {
      name: 'haproxy-1',
      title: 'HAProxy, `option redispatch 1`',
      drawn: false,
      start: haproxy('haproxy-1', 1),
    },
    {
      name: 'nginx-0',
      title: 'nginx with Lua, without `set_more_tries`',
      drawn: false,
      start: nginx('nginx-0', 0),
    },
  ];
  return Promise.all(plans.map(startFront));
}

async function startFront({ start, ...plan }: Plan): Promise<Front> {
  const port = await freePort();
  const child = await start(port);
  return {
    ...plan,
    url: `http://127.0.0.1:${port}/mcp`,
    cpu: () => cpuOf(Number(child.pid)),
    stop: () => end(child, 'SIGTERM'),
  };
}

/** Writes the configuration into a folder of its own; returns its path. */
function fill(
  template: string,
  folder: string,
  name: string,
  values: Record<string, string | number | undefined>,
): string {
  const text = readFileSync(new URL(template, import.meta.url), 'utf8');
  const file = path.join(folder, name, template);
  mkdirSync(path.dirname(file));
  writeFileSync(
    file,
    text.replaceAll(/\$\{(\w+)\}/g, (_, key: string) => String(values[key] ?? '')),
  );
  return file;
}
