import { randomUUID } from 'node:crypto';
import { type ClientKind, createClient, type Fetch, type RealClient } from './e2e-clients.ts';

/** `E2E_FULL=1`: the size that the project promises; else one that a busy machine does in passing. */
export const FULL: boolean = process.env.E2E_FULL === '1';

export const SIZE: { readonly clients: number; readonly calls: number } = FULL
  ? { clients: 100, calls: 10 }
  : { clients: 30, calls: 5 };

export const TOTAL: number = SIZE.clients * SIZE.calls;

/** Told where `npm run shows` is read. */
export function show(line: string): void {
  if (FULL) process.stderr.write(`  ${line}\n`);
}

const KINDS: readonly ClientKind[] = ['SDK v1', 'SDK v2'];

/** Clients of both SDKs in turns; `fetchOf` gives each its way to the network. */
export function createFleet(
  size: number,
  url: string,
  fetchOf?: (index: number) => Fetch | undefined,
): RealClient[] {
  return Array.from({ length: size }, (_, index) => {
    const fetch = fetchOf?.(index);
    const options = { name: `client ${index}`, ...(fetch && { fetch }) };
    return createClient(KINDS[index % KINDS.length] ?? 'SDK v1', url, options);
  });
}

export interface Note {
  readonly instance: string;
  readonly count: number;
}

/** Calls the tool that logs its nonce and counts the calls of the session. */
export async function note(client: RealClient): Promise<Note> {
  return JSON.parse(await client.call('note', { nonce: randomUUID() })) as Note;
}

export interface RunResult {
  readonly answered: number;
  /** What went wrong, in words. */
  readonly complaints: readonly string[];
}

/** All clients at once, each `calls` times one call after the other. */
export async function drive(fleet: readonly RealClient[], calls: number): Promise<RunResult> {
  const complaints: string[] = [];
  let answered = 0;
  await Promise.all(
    fleet.map(async (client) => {
      let before: Note | undefined;
      for (let call = 0; call < calls; call += 1) {
        try {
          const now = await note(client);
          answered += 1;
          const next = before === undefined || isNext(before, now);
          if (!next) complaints.push(`${client.name}: ${say(before)}, then ${say(now)}`);
          before = now;
        } catch (error) {
          complaints.push(`${client.name}, call ${call}: ${explain(error)}`);
        }
      }
    }),
  );
  return { answered, complaints };
}

/** Clients that call all the time, until they are told to stop. */
export function keepBusy(fleet: readonly RealClient[]): { stop(): Promise<RunResult> } {
  const complaints: string[] = [];
  let answered = 0;
  const stopped = new AbortController();
  const all = Promise.all(
    fleet.map(async (client) => {
      while (!stopped.signal.aborted) {
        const failed = await note(client).then(() => undefined, explain);
        if (failed === undefined) answered += 1;
        else complaints.push(`${client.name}: ${failed}`);
      }
    }),
  );
  return {
    async stop() {
      stopped.abort();
      await all;
      return { answered, complaints };
    },
  };
}

/** What `fetch` knows better than it says is in the causes. */
function explain(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? String(error) : `${String(error)} (${explain(cause)})`;
}

/** The same process has counted one further: the session's state is where the session goes. */
function isNext(before: Note, now: Note): boolean {
  return now.instance === before.instance && now.count === before.count + 1;
}

function say(note: Note | undefined): string {
  return JSON.stringify(note);
}

/** Opens all at once; the sessions, in the order of the clients. */
export async function openAll(fleet: readonly RealClient[]): Promise<string[]> {
  await Promise.all(fleet.map((client) => client.open()));
  return fleet.map((client) => client.session() ?? '');
}

export async function closeAll(fleet: readonly RealClient[]): Promise<void> {
  await Promise.all(fleet.map((client) => client.close()));
}

export const INITIALIZE: object = {
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1.0.0' },
  },
};

/** A request as an SDK sends it, without the SDK. */
export async function post(
  url: string,
  session: string | undefined,
  message: object = {
    method: 'tools/call',
    params: { name: 'note', arguments: { nonce: randomUUID() } },
  },
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      Accept: 'application/json, text/event-stream',
      'Content-Type': 'application/json',
      'MCP-Protocol-Version': '2025-11-25',
      ...(session !== undefined && { 'Mcp-Session-Id': session }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
  });
}
