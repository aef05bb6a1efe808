import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { BackendDiscovery, BackendEntry } from '../../backends/discovery.ts';
import { dnsBackends } from '../../backends/dns-backends.ts';
import { SessionRoutingError } from '../../protocol/errors.ts';
import { isSetAside, oneOf, shown, type Given, type Givens } from '../given.ts';
import { UsageError } from '../usage-error.ts';
import type { SettingName } from './settings-table.ts';

export type GivenBackends = readonly string[] | BackendDiscovery;

/** Between two looks at the file (ms). */
const REFRESH = 500;
const EXAMPLE = '[{"id":"mcp-0","url":"http://mcp-0:8080"}]';
const URLS = '--backend http://mcp-0:8080 --backend http://mcp-1:8080';

/** Where the servers are. @throws {UsageError} */
export function readBackends(givens: Givens<SettingName>): GivenBackends {
  const found = oneOf(givens, ['backend', 'backendsFile', 'dns'], 'give one of them');
  const { srv } = givens;
  if (srv && found?.key !== 'dns' && !isSetAside(srv, found?.given)) {
    throw new UsageError(`${shown(srv)} is for --dns: give that too`);
  }
  if (!found) throw new UsageError(`no MCP server is given: give ${URLS}, or see --help`);
  const { key, given } = found;
  if (key === 'dns') return readDns(given, srv);
  const file = given.values[0] ?? '';
  if (key === 'backendsFile') return backendsFile(given, file);
  // A comma in a password has made two of it.
  for (const value of given.values) refuseCredentials(value, given.name);
  return given.values.map((value) => originIn(value, shown(given, value), given.name));
}

function readDns(given: Given, srv: Given | undefined): BackendDiscovery {
  const [url = ''] = given.values;
  refuseCredentials(url, given.name);
  try {
    return dnsBackends(url, srv ? { srv: srv.values[0] ?? '' } : {});
  } catch (error) {
    if (!(error instanceof SessionRoutingError)) throw error;
    // The names of the package are not those of whoever has given a flag.
    const problem = error.message.replace(/^\w+: /, '');
    const ofService = srv !== undefined && problem.startsWith('option "srv"');
    const words = problem
      .replace(/^option "srv": /, '')
      .replaceAll('"srv"', '--srv')
      .replaceAll('"backends"', '--backend');
    throw new UsageError(`${ofService ? srv.name : given.name}: ${words}`, { cause: error });
  }
}

/** The file is read anew while the gateway runs. What is wrong with it at the start is thrown here. */
function backendsFile(given: Given, file: string): BackendDiscovery {
  const { name } = given;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = `${shown(given)} cannot be read (${code})`;
    throw new UsageError(`${problem}: give a file that holds ${EXAMPLE}`, { cause: error });
  }
  parse(text, name);
  return { list: async () => parse(await readFile(file, 'utf8'), name), refresh: REFRESH };
}

/** The package itself checks the rest of an entry. */
function parse(text: string, name: string): BackendEntry[] {
  let listed: unknown;
  try {
    listed = JSON.parse(text);
  } catch {
    throw new UsageError(`${name}: the file does not hold JSON: give ${EXAMPLE}`);
  }
  if (!Array.isArray(listed)) {
    throw new UsageError(`${name}: the file does not hold a list: give ${EXAMPLE}`);
  }
  return listed.map((entry: BackendEntry | null, at) => {
    // The entry is not repeated: it may hold a password.
    if (typeof entry?.url !== 'string') {
      throw new UsageError(`${name}: entry ${at + 1} has no url: give ${EXAMPLE}`);
    }
    return { ...entry, url: originIn(entry.url, `${name}: ${entry.url}`, name) };
  });
}

function originIn(value: string, shownValue: string, name: string): string {
  refuseCredentials(value, name);
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(`${shownValue} is not an http(s) URL: give one such as http://mcp-0:8080`);
  }
  if (url.pathname !== '/' || url.hash) {
    throw new UsageError(
      `${shownValue} has a path: give ${url.origin} and set --path, the gateway keeps the path`,
    );
  }
  return url.origin;
}

/** The value is not repeated: it may hold a password, or a key. */
function refuseCredentials(value: string, name: string): void {
  if (value.includes('@')) {
    throw new UsageError(`${name}: a URL carries a user name or password: give it without`);
  }
  if (value.includes('?')) {
    throw new UsageError(`${name}: a URL carries a query: give it without, clients send their own`);
  }
}
