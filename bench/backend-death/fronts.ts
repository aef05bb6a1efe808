import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { end, freePort, startNode, startServer } from '../lib/children.ts';
import { cpuOf } from '../lib/cpu.ts';
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
  const backends = ports.map((port) => `http://127.0.0.1:${port}`).join(',');
  const plans: Plan[] = [
    {
      name: 'gateway',
      title: 'mcp-session-routing',
      drawn: true,
      start: async (port) => {
        const env = { BACKENDS: backends, PORT: String(port) };
        return (await startNode(new URL('gateway.ts', import.meta.url), env)).child;
      },
    },
    {
      name: 'haproxy',
      title: 'HAProxy, stick table',
      drawn: true,
      start: (port) => haproxyOn({ port, ports, folder, servers }),
    },
    {
      name: 'nginx',
      title: 'nginx with Lua',
      drawn: true,
      start: (port) => nginxOn({ port, ports, folder, servers }),
    },
    {
      name: 'haproxy-1',
      title: 'HAProxy, `option redispatch 1`',
      drawn: false,
      start: (port) => haproxyOn({ port, ports, folder, servers }, 'haproxy-1', 1),
    },
    {
      name: 'nginx-0',
      title: 'nginx with Lua, without `set_more_tries`',
      drawn: false,
      start: (port) => nginxOn({ port, ports, folder, servers }, 'nginx-0', 0),
    },
  ];
  return Promise.all(plans.map(startFront));
}

export interface Place {
  readonly port: number;
  /** Of the three backends. */
  readonly ports: readonly number[];
  readonly folder: string;
  readonly servers: Servers;
}

/** HAProxy with a stick table; `redispatch` as in its configuration. */
export function haproxyOn(
  { port, ports, folder, servers }: Place,
  name = 'haproxy',
  redispatch = -1,
): Promise<ChildProcess> {
  const values = { ...backendsOf(ports), PORT: port, REDISPATCH: redispatch };
  const file = fill('haproxy.cfg', folder, name, values);
  return startServer(servers.haproxy, ['-db', '-q', '-f', file], port);
}

/** nginx with Lua; `moreTries` as in its configuration. */
export function nginxOn(
  { port, ports, folder, servers }: Place,
  name = 'nginx',
  moreTries: number = ports.length - 1,
): Promise<ChildProcess> {
  const own = { LOAD_MODULES: servers.loadModules, MORE_TRIES: moreTries };
  const file = fill('nginx.conf', folder, name, { ...backendsOf(ports), PORT: port, ...own });
  return startServer(servers.nginx, ['-p', path.dirname(file), '-c', file], port);
}

function backendsOf([a, b, c]: readonly number[]): Record<string, number | undefined> {
  return { BACKEND_A: a, BACKEND_B: b, BACKEND_C: c };
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
