/**
 * What clients see when a backend is killed: this package, HAProxy with a stick table and nginx with Lua, side by
 * side in front of the same three backends. Results go to bench/results/, drawn by
 * `npm run chart`.
 *
 *   npm run bench:backend-death
 *   UNKNOWN_STATUS=400 npm run bench:backend-death   with backends that answer so to a session they do not know
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Backends, startBackends } from './backend-death/backends.ts';
import { type Answer, type Client, createClient } from './backend-death/client.ts';
import { type Front, startFronts } from './backend-death/fronts.ts';
import { historyOf, readLogs } from './backend-death/history.ts';
import { bucketsOf, type Result, summaryOf, type Window } from './backend-death/result.ts';
import { requireServers, type Servers } from './backend-death/servers.ts';
import { tableOf } from './backend-death/table.ts';

const SESSIONS = 60;
const CALLS_PER_SECOND = 4;
const VICTIM = 'b';
const WARM_UP = 2_000;
const BEFORE = 5_000;
const DEAD = 10_000;
const AFTER = 5_000;
const BUCKET = 100;
const UNKNOWN_STATUS = process.env['UNKNOWN_STATUS'] === '400' ? 400 : 404;

interface Load {
  readonly front: Front;
  readonly clients: Client[];
  readonly answers: Answer[];
}

let servers: Servers;
try {
  servers = requireServers();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const folder = mkdtempSync(path.join(tmpdir(), 'backend-death-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const backends = await startBackends(folder);
const fronts = await startFronts(servers, backends.ports, folder);
try {
  const loads = fronts.map(createLoad);
  await Promise.all(loads.map(openAll));
  const homes = loads.map(({ clients }) => clientsOf(clients, `${VICTIM}1`));
  const window = await run(loads, backends);
  write(resultOf(loads, homes, window));
} finally {
  await Promise.all(fronts.map((front) => front.stop()));
  await backends.stop();
}

function createLoad(front: Front): Load {
  const answers: Answer[] = [];
  const clients = Array.from({ length: SESSIONS }, (_, at) =>
    createClient(front.url, `${front.name}/${at}`, (answer) => answers.push(answer)),
  );
  return { front, clients, answers };
}

/** One after the other: so that round robin gives each backend a third of them. */
async function openAll({ clients }: Load): Promise<void> {
  for (const client of clients) await client.open();
}

function clientsOf(clients: readonly Client[], instance: string): Set<string> {
  return new Set(clients.filter((client) => client.home() === instance).map(({ name }) => name));
}

async function run(loads: readonly Load[], backends: Backends): Promise<Window> {
  const pace = 1000 / CALLS_PER_SECOND;
  const running = loads.flatMap(({ clients }) =>
    clients.map((client, at) => client.run(pace, (at * pace) / SESSIONS)),
  );
  await delay(WARM_UP);
  const before = loads.map(({ front }) => front.cpu());
  await delay(BEFORE);
  const killed = Date.now();
  await backends.kill(VICTIM);
  const restarting = killed + DEAD;
  await delay(restarting - Date.now());
  await backends.restart(VICTIM);
  const restarted = Date.now();
  const ended = restarting + AFTER;
  await delay(ended - Date.now());
  const cpu = loads.map(({ front }, at) => difference(front.cpu(), before[at]));
  for (const { clients } of loads) for (const client of clients) client.stop();
  await Promise.all(running);
  return { killed, restarting, restarted, ended, cpu };
}

function difference(after: number | null, before: number | null = null): number | null {
  return after === null || before === null ? null : after - before;
}

function resultOf(
  loads: readonly Load[],
  homes: readonly ReadonlySet<string>[],
  window: Window,
): Result {
  const log = readLogs(folder);
  const span = { from: -BEFORE, to: DEAD + AFTER, bucket: BUCKET };
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    ...servers.versions,
    cores: availableParallelism(),
    unknownStatus: UNKNOWN_STATUS,
    sessions: SESSIONS,
    callsPerSecond: CALLS_PER_SECOND,
    ...span,
    restarted: window.restarted - window.killed,
    fronts: loads.map(({ front: { name, title, drawn }, answers }, at) => {
      const ofDead = homes[at] ?? new Set<string>();
      const inSpan = answers.filter((answer) => answer.at >= window.killed + span.from);
      const used = window.cpu[at] ?? null;
      const summary = {
        ...summaryOf(inSpan, ofDead, window),
        ...historyOf(name, log),
        cpuPerAnswer: used === null ? null : Math.round((used * 1000) / inSpan.length),
      };
      return { name, title, drawn, answers: bucketsOf(inSpan, window.killed, span), summary };
    }),
  };
}

function write(result: Result): void {
  const name = `backend-death-${result.date}${UNKNOWN_STATUS === 404 ? '' : `-${UNKNOWN_STATUS}`}`;
  const file = path.join(import.meta.dirname, 'results', `${name}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  console.log(
    `Node ${result.node}, HAProxy ${result.haproxy}, nginx ${result.nginx}, ${result.cores} cores; ` +
      `${SESSIONS} sessions for each front, ${CALLS_PER_SECOND} calls/s each; ` +
      `unknown sessions get ${UNKNOWN_STATUS}; killed backend back, and empty, after ${(result.restarted / 1000).toFixed(1)} s\n`,
  );
  console.log(tableOf(result.fronts));
}
