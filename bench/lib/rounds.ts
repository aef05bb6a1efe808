import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startNode } from './children.ts';
import type { Sample, Samples } from './comparison.ts';
import { Connection, spread } from './load.ts';
import { call, expectSuccess, initialize, sessionOf } from './messages.ts';
import type { VariantName } from './variants.ts';

export interface RoundsOptions {
  readonly rounds: number;
  /** Of each variant, in each round. */
  readonly requests: number;
  readonly connections: number;
  /**
   * Each in a process of its own: what differs in kind leaves different garbage, and in one process the one collects
   * what the other has left.
   */
  readonly apart?: boolean;
}

/** Compiled, since a loader adds work of its own: `npm run bench:build`. */
const BUILD = new URL('../build/bench/lib/', import.meta.url);
/** So much of what is measured is done before. */
const WARM_UP = 0.25;

interface Measured {
  readonly name: string;
  readonly process: ChildProcess;
  readonly connections: readonly Connection[];
  readonly ask: (connection: Connection) => Promise<void>;
}

/**
 * Holds variants against each other, in one gateway process unless they are set `apart`: round by round, the order reversed every other round.
 * A name may be given twice, as `name#2`: what they differ by is the error.
 */
export async function measure(
  names: readonly string[],
  { rounds, requests, connections, apart = false }: RoundsOptions,
): Promise<Samples> {
  const backend = await startBackend();
  const measured: Measured[] = [];
  for (const group of apart ? names.map((name) => [name]) : [names]) {
    const variants = group.map(nameOf).join(',');
    const gateway = await startGateway({ TARGET: backend.url, VARIANTS: variants });
    for (const [at, name] of group.entries())
      measured.push(await open(name, gateway.child, gateway.urls[at] ?? '', connections));
  }
  const samples: Record<string, Sample[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -Math.ceil(rounds * WARM_UP); round < rounds; round += 1) {
    for (const each of inOrderOf(round, measured)) {
      const sample = await sampleOf(each, requests);
      if (round >= 0) samples[each.name]?.push(sample);
    }
  }
  for (const each of measured) for (const connection of each.connections) connection.close();
  for (const each of new Set(measured.map((one) => one.process))) each.disconnect();
  backend.child.disconnect();
  return samples;
}

/** Each variant comes first, second, ... as often as the others, and after each of them as often as before it. */
function inOrderOf<T>(round: number, all: readonly T[]): T[] {
  const turn = Math.abs(round) % all.length;
  const turned = [...all.slice(turn), ...all.slice(0, turn)];
  return Math.floor(Math.abs(round) / all.length) % 2 === 0 ? turned : turned.toReversed();
}

async function open(
  name: string,
  process: ChildProcess,
  url: string,
  size: number,
): Promise<Measured> {
  const connections = Array.from({ length: size }, () => new Connection(url));
  const [first] = connections;
  const session = first ? sessionOf(await first.ask(initialize())) : '';
  const request = call(session);
  return {
    ...{ name, process, connections },
    ask: async (connection) => expectSuccess(await connection.ask(request)),
  };
}

async function sampleOf(
  { process: gateway, connections, ask }: Measured,
  requests: number,
): Promise<Sample> {
  const before = await cpuOf(gateway);
  const began = performance.now();
  await spread(connections, requests, ask);
  const seconds = (performance.now() - began) / 1000;
  return { cpu: ((await cpuOf(gateway)) - before) / requests, rate: requests / seconds };
}

export async function startBackend(): Promise<{ child: ChildProcess; url: string }> {
  const { child, message } = await startNode(new URL('backend.js', BUILD), {});
  return { child, url: `http://127.0.0.1:${String(message)}` };
}

export async function startGateway(
  env: Record<string, string>,
  flags: readonly string[] = [],
): Promise<{ child: ChildProcess; urls: readonly string[] }> {
  const { child, message } = await startNode(new URL('gateway.js', BUILD), env, flags);
  return { child, urls: message as string[] };
}

/** Asks a gateway process: `cpu`, `memory`, `now`, `pings`. */
export async function askProcess<T>(gateway: ChildProcess, question: string): Promise<T> {
  gateway.send(question);
  const [answer] = (await once(gateway, 'message')) as [T];
  return answer;
}

async function cpuOf(gateway: ChildProcess): Promise<number> {
  const usage = await askProcess<NodeJS.CpuUsage>(gateway, 'cpu');
  return usage.user + usage.system;
}

function nameOf(name: string): VariantName {
  return name.replace(/#.*/, '') as VariantName;
}
