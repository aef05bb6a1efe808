/** Where the backends of gateway.ts come from: BACKENDS or BACKENDS_FILE, checked. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { BackendDiscovery, BackendEntry } from '../src/index.ts';

/** Between two looks at the file (ms). */
const REFRESH = 500;
const EXAMPLE = '[{"id":"mcp-0","url":"http://mcp-0:8080"}]';

export type GivenBackends = string[] | BackendDiscovery;

export function readBackends(list = '', file = ''): GivenBackends | undefined {
  if (list && file) {
    throw new Error('BACKENDS and BACKENDS_FILE exclude each other: give one of them');
  }
  if (file) return backendsFile(file);
  return list ? readList(list) : undefined;
}

function readList(value: string): string[] {
  const backends = value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
  if (backends.length === 0) {
    throw new Error('BACKENDS names no backend: give http://mcp-0:8080,http://mcp-1:8080');
  }
  return backends.map((backend) => readOrigin('BACKENDS', backend));
}

/** The file is read anew while the gateway runs. What is wrong with it at the start is thrown here. */
function backendsFile(file: string): BackendDiscovery {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = `BACKENDS_FILE=${file} cannot be read (${code})`;
    throw new Error(`${problem}: give a file that holds ${EXAMPLE}`, { cause: error });
  }
  parse(text);
  return { list: async () => parse(await readFile(file, 'utf8')), refresh: REFRESH };
}

/** The package itself checks the rest of an entry. */
function parse(text: string): BackendEntry[] {
  let listed: unknown;
  try {
    listed = JSON.parse(text);
  } catch {
    throw new Error(`BACKENDS_FILE does not hold JSON: give ${EXAMPLE}`);
  }
  if (!Array.isArray(listed))
    throw new Error(`BACKENDS_FILE does not hold a list: give ${EXAMPLE}`);
  return listed.map((entry: BackendEntry | null) => {
    if (typeof entry?.url !== 'string') {
      throw new Error(`BACKENDS_FILE: ${JSON.stringify(entry)} has no url: give ${EXAMPLE}`);
    }
    return { ...entry, url: readOrigin('BACKENDS_FILE', entry.url) };
  });
}

function readOrigin(setting: string, value: string): string {
  if (value.includes('@')) {
    throw new Error(`${setting}: a URL carries a user name or password: give it without`);
  }
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new Error(
      `${setting}: ${value} is not an http(s) URL: give one such as http://mcp-0:8080`,
    );
  }
  if (url.pathname !== '/' || url.search || url.hash) {
    throw new Error(
      `${setting}: ${value} has a path: give ${url.origin} and set MCP_PATH, the gateway keeps the path`,
    );
  }
  return url.origin;
}
