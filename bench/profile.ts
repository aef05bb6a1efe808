/**
 * Where the CPU time of a gateway goes: a profile of one variant of lib/variants.ts, as text.
 *
 *   npm run bench:profile -- forward
 */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Connection, spread } from './lib/load.ts';
import { call, expectSuccess, initialize, sessionOf } from './lib/messages.ts';
import { startBackend, startGateway } from './lib/rounds.ts';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const WARM_UP = 10_000;
const REQUESTS = 40_000;
const CONNECTIONS = 16;
const SHOWN = 40;

const variant = process.argv[2] ?? 'forward';
const folder = mkdtempSync(path.join(os.tmpdir(), 'profile-'));
const backend = await startBackend();
const env = { TARGET: backend.url, VARIANTS: variant };
const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'];
const gateway = await startGateway(env, flags);
const [url = ''] = gateway.urls;
const connections = Array.from({ length: CONNECTIONS }, () => new Connection(url));
const [first] = connections;
const session = first ? sessionOf(await first.ask(initialize())) : '';
const ask = async (connection: Connection): Promise<void> =>
  expectSuccess(await connection.ask(call(session)));
await spread(connections, WARM_UP, ask);
await spread(connections, REQUESTS, ask);
for (const connection of connections) connection.close();
const exited = once(gateway.child, 'exit');
gateway.child.disconnect();
await exited;
backend.child.disconnect();

const [file = ''] = readdirSync(folder);
const profile = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Profile;
rmSync(folder, { recursive: true });

const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
const byPlace = new Map<string, number>();
const byFunction = new Map<string, number>();
for (const [at, id] of profile.samples.entries()) {
  const { functionName = '', url: from = '', lineNumber = 0 } = frames.get(id) ?? {};
  if (functionName === '(idle)' || functionName === '(program)') continue;
  const spent = profile.timeDeltas[at] ?? 0;
  const place = placeOf(from, functionName);
  add(byPlace, place.group, spent);
  const called = functionName.slice(0, 40) || '(anonymous)';
  add(byFunction, `${called} ${place.file}:${lineNumber + 1}`, spent);
}
const total = [...byPlace.values()].reduce((sum, each) => sum + each, 0);
console.log(
  `${variant}: Node ${process.version}, ${WARM_UP + REQUESTS} requests, ${CONNECTIONS} connections`,
);
table(byPlace, 20);
table(byFunction, SHOWN);

function placeOf(from: string, name: string): { group: string; file: string } {
  if (from === '') return { group: name.startsWith('(') ? name : 'native', file: '' };
  if (from.startsWith('node:')) return { group: 'node', file: from };
  const [, module] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(from) ?? [];
  if (module !== undefined) return { group: module, file: from.replace(/.*\/node_modules\//, '') };
  return { group: 'src', file: from.replace(/.*\/(src|bench)\/(?!.*\/(?:src|bench)\/)/, '$1/') };
}

function add(to: Map<string, number>, name: string, spent: number): void {
  to.set(name, (to.get(name) ?? 0) + spent);
}

function table(of: Map<string, number>, rows: number): void {
  console.log();
  const sorted = [...of].toSorted((a, b) => b[1] - a[1]).slice(0, rows);
  for (const [name, spent] of sorted)
    console.log(`${((spent / total) * 100).toFixed(1).padStart(5)} %  ${name}`);
}
