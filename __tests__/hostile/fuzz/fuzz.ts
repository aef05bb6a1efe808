import { fileURLToPath } from 'node:url';
import { startChild } from '../../helpers/e2e-children.ts';
import { startFleet } from './fleet.ts';
import { Lane } from './lane.ts';
import { Oracle } from './oracle.ts';
import { Random } from './random.ts';

export const PROXIES = ['3', '4', 'forward'] as const;
export type FuzzedProxy = (typeof PROXIES)[number];

export interface FuzzOptions {
  readonly proxy: FuzzedProxy;
  readonly seed: number;
  /** Most rounds. @default as many as there is time for */
  readonly rounds?: number;
  /** Longest time in seconds, the start of the gateway not counted. @default as long as the rounds take */
  readonly seconds?: number;
  /** The one round that is run. */
  readonly only?: number;
}

export interface FuzzReport {
  readonly rounds: number;
  readonly crashes: number;
  readonly misroutes: number;
  /** What was wrong, each with the round and the bytes that were sent. */
  readonly faults: readonly string[];
}

/** Rounds that are on their way at the same time. */
const LANES = 6;
/** More tell nothing new. */
const MOST_FAULTS = 5;
const GATEWAY = fileURLToPath(new URL('gateway-process.ts', import.meta.url));

/** Sends spoilt requests to a gateway, and looks at what reaches its backends and what comes back. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { proxy, seed, rounds = Infinity, seconds = Infinity, only } = options;
  const faults: string[] = [];
  const sent = new Map<number, Buffer>();
  const running = new Set<number>();
  let crashes = 0;
  let done = 0;
  let opened = 0;
  const complain = (problem: string, round?: number): void => {
    if (faults.length < MOST_FAULTS)
      faults.push(told(problem, round === undefined ? [...running] : [round]));
  };
  const oracle = new Oracle(complain);
  const fleet = await startFleet({
    oracle,
    complain,
    newId(backend) {
      opened += 1;
      const id = `${backend}-${opened}-${new Random(seed, opened, 2).visible(8)}`;
      oracle.opened(id, backend, Math.max(0, ...running));
      return id;
    },
  });
  // Half of the seeds with all that a gateway can route.
  const transports = new Random(seed).chance(0.5) ? 'all' : 'usual';
  // Node warns of targets that are no URL, which Express parses.
  const program = ['--no-deprecation', GATEWAY, proxy, transports, ...fleet.origins];
  const child = startChild(program, {});
  let stopping = false;
  void child.exited.then(() => {
    if (stopping) return;
    crashes += 1;
    complain(`the gateway has ended:\n${child.output()}`);
  });

  try {
    const port = await child.port;
    let heard = child.output().length;
    const deadline = performance.now() + seconds * 1000;
    let next = only ?? 0;
    const lanes = Array.from({ length: LANES }, () => lane(port));
    const goesOn = (): boolean =>
      crashes === 0 &&
      faults.length < MOST_FAULTS &&
      (only === undefined ? next < rounds && performance.now() < deadline : next === only);
    await Promise.all(
      lanes.map(async (each) => {
        while (goesOn()) {
          const round = next;
          next += 1;
          running.add(round);
          await each.round(round, lanes).catch((error: unknown) => complain(String(error), round));
          const output = child.output();
          if (output.length > heard) complain(`the gateway said:\n${output.slice(heard)}`);
          heard = output.length;
          running.delete(round);
          done += 1;
        }
      }),
    );
  } finally {
    stopping = true;
    await child.kill();
    await fleet.close();
  }
  return { rounds: done, crashes, misroutes: oracle.misroutes, faults };

  function lane(port: number): Lane {
    const sending = (round: number, bytes: Buffer): void => {
      sent.set(round, bytes);
      sent.delete(round - 500);
    };
    return new Lane({ seed, port, oracle, fleet, complain, sending });
  }

  function told(problem: string, of: readonly number[]): string {
    const bytes = of.map((round) => `  round ${round}: ${escaped(sent.get(round))}`);
    return [`seed ${seed}, proxy ${proxy}: ${problem}`, ...bytes].join('\n');
  }
}

/** Bytes as a JavaScript string of latin1. */
function escaped(bytes: Buffer | undefined): string {
  const text = bytes?.toString('latin1') ?? '';
  return JSON.stringify(text.length > 4000 ? `${text.slice(0, 4000)}... (${text.length})` : text);
}
