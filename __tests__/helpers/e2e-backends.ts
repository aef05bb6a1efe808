import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HistoryEntry } from '../fixtures/e2e/history.ts';
import { type Child, startChild } from './e2e-children.ts';

const require = createRequire(import.meta.url);
const FIXTURES = './__tests__/fixtures/e2e';
const EVERYTHING = '@modelcontextprotocol/server-everything/dist/index.js';

/** Real MCP servers: of the official SDKs, and the reference server as it is published. */
export const SERVERS = {
  'SDK v1': () => [`${FIXTURES}/sdk1-server.ts`],
  'SDK v2': () => [`${FIXTURES}/sdk2-server.ts`],
  'server-everything': () => [require.resolve(EVERYTHING), 'streamableHttp'],
  'server-everything in its mode sse': () => [require.resolve(EVERYTHING), 'sse'],
  'every era': () => [`${FIXTURES}/eras-server.ts`],
  'a script like those of the Python SDK': () => [`${FIXTURES}/python-sse-server.ts`],
} as const;

export type ServerKind = keyof typeof SERVERS;

export interface Backends {
  /** Origin of each backend by its name. */
  readonly origins: ReadonlyMap<string, string>;
  /** For the setting `BACKENDS` of a gateway. */
  readonly list: string;
  /** What the backends have written down; in the order of each one, not between them. */
  history(): HistoryEntry[];
  /** Starts one more of the kind, with other settings; resolves to its origin. */
  start(name: string, env?: Readonly<Record<string, string>>): Promise<string>;
  /** SIGKILL; resolves when the process is gone. */
  kill(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Three of a kind, each a process of its own that logs its requests. */
export async function startBackends(
  kind: ServerKind,
  env: Readonly<Record<string, string>> = {},
): Promise<Backends> {
  const folder = mkdtempSync(path.join(tmpdir(), 'e2e-'));
  const logs: string[] = [];
  const children = new Map<string, Child>();
  const origins = new Map<string, string>();

  function start(name: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const log = path.join(folder, `${name}.jsonl`);
    logs.push(log);
    // PORT: where server-everything listens; most of ours pick a free port themselves.
    const settings = { INSTANCE: name, REQUEST_LOG: log, PORT: '0', ...env, ...more };
    const child = startChild([...SERVERS[kind]()], settings, ['observe.ts']);
    children.set(name, child);
    return child.port.then((port) => `http://127.0.0.1:${port}`);
  }

  const names = ['a', 'b', 'c'];
  const started = await Promise.all(names.map((name) => start(name)));
  for (const [index, name] of names.entries()) origins.set(name, started[index] ?? '');

  return {
    origins,
    list: [...origins.values()].join(','),
    history: () => logs.flatMap(readLog),
    start,
    kill: async (name) => children.get(name)?.kill(),
    async stop() {
      await Promise.all([...children.values()].map((child) => child.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function readLog(file: string): HistoryEntry[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // A backend that was never asked anything has no log.
  }
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as HistoryEntry);
}
