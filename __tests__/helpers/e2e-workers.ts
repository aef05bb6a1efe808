import { type ClientKind, createClient, type RealClient, statusOf } from './e2e-clients.ts';
import { note } from './e2e-runs.ts';

/** A call that has failed. */
export interface Failure {
  readonly session: string;
  /** HTTP status; `undefined`: its answer was cut off. */
  readonly status: number | undefined;
  readonly sentAt: number;
  readonly message: string;
}

/** A client as an application uses it: when it is told that its session is gone, it starts again. */
export class Worker {
  readonly failures: Failure[] = [];
  /** Sessions that it was told are gone (404). */
  readonly lost: string[] = [];
  /** When it was told so first. */
  lostAt = Infinity;
  answered = 0;
  readonly #kind: ClientKind;
  readonly #url: string;
  #client: RealClient;

  constructor(kind: ClientKind, url: string) {
    this.#kind = kind;
    this.#url = url;
    this.#client = this.#create();
  }

  open(): Promise<void> {
    return this.#client.open();
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** One call after the other until `calls` were answered. */
  async work(calls: number, onAnswer: () => void): Promise<void> {
    while (this.answered < calls) {
      const session = this.#client.session() ?? '';
      const sentAt = performance.now();
      try {
        await note(this.#client);
        this.answered += 1;
        onAnswer();
      } catch (error) {
        const status = statusOf(error);
        const told = this.lost.includes(session);
        // What fails after the 404 has arrived on the GET stream is the SDK's: the client was closed.
        if (!told || status !== undefined) {
          this.failures.push({ session, status, sentAt, message: String(error) });
        }
        if (told) await this.#startAgain();
        else if (status !== 502) throw error;
      }
    }
  }

  async #startAgain(): Promise<void> {
    await this.#client.close();
    this.#client = this.#create();
    await this.#client.open();
  }

  #create(): RealClient {
    const client = createClient(this.#kind, this.#url, {
      fetch: async (to, init) => {
        const response = await fetch(to, init);
        const session = new Headers(init?.headers).get('mcp-session-id');
        if (response.status !== 404 || session === null) return response;
        if (!this.lost.includes(session)) this.lost.push(session);
        this.lostAt = Math.min(this.lostAt, performance.now());
        // SDK v1 goes on waiting for the answer of a call whose stream cannot be resumed.
        if (init?.method === 'GET') void client.close();
        return response;
      },
    });
    return client;
  }
}
