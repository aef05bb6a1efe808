import { type ClientKind, createClient } from './e2e-clients.ts';
import { note } from './e2e-runs.ts';
import { until } from './until.ts';

export interface Visit {
  readonly kind: ClientKind;
  readonly began: number;
  /** When it was connected. */
  readonly opened: number;
  readonly revision: string | undefined;
  /** What went wrong, in words. */
  readonly complaint: string | undefined;
}

/** Clients that come, call three times and go, all the time: a fleet is changed under them. */
export class Visitors {
  readonly visits: Visit[] = [];
  readonly #url: string;
  readonly #loops: { finished: number; readonly done: Promise<void> }[];
  #stopping = false;

  constructor(url: string, kinds: readonly ClientKind[]) {
    this.#url = url;
    this.#loops = kinds.map((kind) => {
      const loop = { finished: 0, done: Promise.resolve() };
      loop.done = this.#loop(kind, loop);
      return loop;
    });
  }

  /** Resolves when all who are here now have gone. */
  async turnover(): Promise<void> {
    const seen = this.#loops.map(({ finished }) => finished);
    await until(() => this.#loops.every(({ finished }, index) => finished > (seen[index] ?? 0)));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#loops.map(({ done }) => done));
  }

  async #loop(kind: ClientKind, loop: { finished: number }): Promise<void> {
    while (!this.#stopping) {
      this.visits.push(await visit(kind, this.#url));
      loop.finished += 1;
    }
  }
}

async function visit(kind: ClientKind, url: string): Promise<Visit> {
  const client = createClient(kind, url);
  const began = performance.now();
  let opened = Infinity;
  let complaint: string | undefined;
  try {
    await client.open();
    opened = performance.now();
    for (let call = 0; call < 3; call += 1) await note(client);
    await client.terminate();
  } catch (error) {
    complaint = `${kind}: ${String(error)}`;
  }
  await client.close();
  return { kind, began, opened, revision: client.revision(), complaint };
}
