import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HistoryEntry } from '../fixtures/e2e/history.ts';
import { type Child, startChild } from './e2e-children.ts';

const require = createRequire(import.meta.url);
const FIXTURES = './__tests__/fixtures/e2e';

/** Real MCP servers: of the official SDKs, and the reference server as it is published. */
export const SERVERS = {
  'SDK v1': () => [`${FIXTURES}/sdk1-server.ts`],
  'SDK v2': () => [`${FIXTURES}/sdk2-server.ts`],
  'server-everything': () => [
    require.resolve('@modelcontextprotocol/server-everything/dist/index.js'),
    'streamableHttp',
  ],
} as const;

export type ServerKind = keyof typeof SERVERS;

export interface Backends {
  /** Origin of each backend by its name. */
  readonly origins: ReadonlyMap<string, string>;
  /** For the setting `BACKENDS` of a gateway. */
  readonly list: string;
  /** What the backends have written down; in the order of each one, not between them. */
  history(): HistoryEntry[];
  /** SIGKILL; resolves when the process is gone. */
  kill(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Three of a kind, each a process of its own that logs its requests. */
export async function startBackends(kind: ServerKind): Promise<Backends> {
  const folder = mkdtempSync(path.join(tmpdir(), 'e2e-'));
  const names = ['a', 'b', 'c'];
  const logs = names.map((name) => path.join(folder, `${name}.jsonl`));
  const children = new Map<string, Child>(
    names.map((name, index) => [
      name,
      startChild(
        [...SERVERS[kind]()],
        {
          INSTANCE: name,
          REQUEST_LOG: logs[index] ?? '',
          // Where server-everything listens; ours pick a free port themselves.
          PORT: '0',
        },
        ['observe.ts'],
      ),
    ]),
  );
  const origins = new Map<string, string>();
  for (const [name, child] of children) origins.set(name, `http://127.0.0.1:${await child.port}`);

  return {
    origins,
    list: [...origins.values()].join(','),
    history: () => logs.flatMap(readLog),
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
