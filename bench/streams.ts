/** P7, and how much memory bodies take: event streams that stay open, and 64 MB for a slow reader. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from './lib/comparison.ts';
import { Connection, spread } from './lib/load.ts';
import { call, expectSuccess, initialize, listen, sessionOf } from './lib/messages.ts';
import { shown, type Figure, type Section, type Table } from './lib/result.ts';
import { askProcess, startBackend, startGateway } from './lib/rounds.ts';

const SCALES = [0, 400, 1000, 2500, 5000];
const OPENED_AT_ONCE = 50;
const CALLS = 3000;
const WARM_UP = 3000;
const BODY = 64 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;
/** A client that reads 1 MB in so many ms. */
const REST = 20;

type Memory = NodeJS.MemoryUsage;

export async function streams(): Promise<Section> {
  const parts = [
    await idleStreams('forward', 'sessionForwarder', 40),
    await idleStreams('recommended4', 'http-proxy-middleware 4', 60),
    await largeBodies('forward', 'sessionForwarder'),
    await largeBodies('recommended4', 'http-proxy-middleware 4'),
  ];
  return {
    figures: parts.flatMap(({ figures }) => figures),
    tables: parts.flatMap(({ tables }) => tables),
  };
}

async function idleStreams(variant: string, name: string, mostMemory: number): Promise<Section> {
  const { gateway, backend, url } = await start(variant);
  const caller = new Connection(url);
  const session = sessionOf(await caller.ask(initialize()));
  for (let at = 0; at < WARM_UP; at += 1) expectSuccess(await caller.ask(call(session)));
  const open: Connection[] = [];
  const measured: { streams: number; kept: number; rss: number; p50: number; p99: number }[] = [];
  for (const streams of SCALES) {
    await openStreams(url, open, streams);
    const times: number[] = [];
    for (let at = 0; at < CALLS; at += 1) {
      const began = performance.now();
      expectSuccess(await caller.ask(call(session)));
      times.push(performance.now() - began);
    }
    const { rss, heapUsed, external } = await askProcess<Memory>(gateway, 'memory');
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
    measured.push({ streams, kept: heapUsed + external, rss, p50, p99 });
  }
  for (const connection of [...open, caller]) connection.close();
  stop(gateway, backend);
  const [none, few] = measured;
  const most = measured.at(-1);
  if (!none || !few || !most) throw new Error('nothing was measured');
  const beside = (streams: number, p99: number): Figure => ({
    ...{ id: 'P7', what: `${name}: p99 of a POST beside ${streams} streams, against none` },
    ...{ value: p99 / none.p99, unit: 'x', atMost: 2 },
  });
  return {
    figures: [
      {
        ...{
          id: 'P7',
          what: `${name}: heap and buffers for each of ${most.streams} idle streams`,
        },
        ...{ value: (most.kept - none.kept) / 1024 / most.streams, unit: 'KB', atMost: mostMemory },
      },
      {
        ...{ id: 'P7', what: `${name}: the same by the RSS, which also holds what was freed` },
        ...{ value: (most.rss - none.rss) / 1024 / most.streams, unit: 'KB' },
      },
      beside(few.streams, few.p99),
      beside(most.streams, most.p99),
    ],
    tables: [
      {
        title: `Idle event streams through ${name}`,
        head: ['streams', 'heap and buffers', 'RSS', 'POST beside them, p50', 'p99'],
        rows: measured.map(({ streams, kept, rss, p50, p99 }) => [
          String(streams),
          shown(kept / MEGABYTE, 'MB'),
          shown(rss / MEGABYTE, 'MB'),
          shown(p50, 'ms'),
          shown(p99, 'ms'),
        ]),
      },
    ],
  };
}

/** Each of a session of its own. */
async function openStreams(url: string, open: Connection[], upTo: number): Promise<void> {
  const more = Array.from({ length: upTo - open.length }, () => new Connection(url));
  for (let at = 0; at < more.length; at += OPENED_AT_ONCE) {
    await Promise.all(
      more.slice(at, at + OPENED_AT_ONCE).map(async (connection) => {
        const id = sessionOf(await connection.ask(initialize()));
        expectSuccess(await connection.open(listen(id)));
      }),
    );
  }
  open.push(...more);
}

async function largeBodies(variant: string, name: string): Promise<Section> {
  const { gateway, backend, url } = await start(variant);
  const warm = Array.from({ length: 8 }, () => new Connection(url));
  await spread(warm, WARM_UP, async (each) => expectSuccess(await each.ask(initialize())));
  for (const connection of warm) connection.close();
  const bodies = { 'to a slow client': download, 'to a slow backend': upload };
  const figures: Figure[] = [];
  for (const [where, send] of Object.entries(bodies)) {
    const work = (): Promise<void> => send(url);
    const inUse = await highest(gateway, 'memory', work);
    const peak = await highest(gateway, 'now', work);
    const figure = (what: string, bytes: number): Omit<Figure, 'atMost'> => ({
      ...{ id: 'P7', what: `${name}, 64 MB ${where}: ${what} above idle` },
      ...{ value: bytes / MEGABYTE, unit: 'MB' },
    });
    figures.push(
      { ...figure('buffers in use', inUse.buffers), atMost: 32 },
      { ...figure('RSS', peak.rss), atMost: 64 },
      figure('buffers with those that are not collected yet', peak.buffers),
    );
  }
  stop(gateway, backend);
  return { figures, tables: [] as Table[] };
}

/** How far above idle the memory of the gateway goes meanwhile; `memory`: each time after a collection. */
async function highest(
  gateway: ChildProcess,
  question: 'memory' | 'now',
  work: () => Promise<void>,
): Promise<{ buffers: number; rss: number }> {
  const idle = await askProcess<Memory>(gateway, 'memory');
  const peak = { buffers: 0, rss: 0 };
  const state = { done: false };
  const working = work().finally(() => (state.done = true));
  while (!state.done) {
    const now = await askProcess<Memory>(gateway, question);
    // `external` counts the array buffers too.
    peak.buffers = Math.max(peak.buffers, now.external - idle.external);
    peak.rss = Math.max(peak.rss, now.rss - idle.rss);
    await delay(REST);
  }
  await working;
  return peak;
}

async function download(url: string): Promise<void> {
  const connection = new Connection(url);
  const session = sessionOf(await connection.ask(initialize()));
  const socket = connection.socket().removeAllListeners('data').setEncoding('latin1');
  socket.setTimeout(0).pause();
  socket.write(call(session, `/mcp?bytes=${BODY}`));
  let read = 0;
  for await (const chunk of socket) {
    const before = Math.floor(read / MEGABYTE);
    read += String(chunk).length;
    if (read >= BODY) break;
    if (Math.floor(read / MEGABYTE) > before) await delay(REST);
  }
  connection.close();
  if (read < BODY) throw new Error(`only ${read} bytes have arrived`);
}

async function upload(url: string): Promise<void> {
  const connection = new Connection(url);
  const session = sessionOf(await connection.ask(initialize()));
  const answered = connection.ask(
    `POST /mcp?slowly HTTP/1.1\r\nhost: bench\r\ncontent-length: ${BODY}\r\n` +
      `mcp-session-id: ${session}\r\nmcp-protocol-version: 2025-11-25\r\n\r\n`,
  );
  const socket = connection.socket();
  const part = Buffer.alloc(MEGABYTE, 'x');
  for (let sent = 0; sent < BODY; sent += MEGABYTE) {
    if (!socket.write(part)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  expectSuccess(await answered);
  connection.close();
}

async function start(
  variant: string,
): Promise<{ gateway: ChildProcess; backend: ChildProcess; url: string }> {
  const backend = await startBackend();
  const env = { TARGET: backend.url, VARIANTS: variant };
  const { child, urls } = await startGateway(env, ['--expose-gc']);
  return { gateway: child, backend: backend.child, url: urls[0] ?? '' };
}

function stop(...processes: readonly ChildProcess[]): void {
  for (const each of processes) each.disconnect();
}
