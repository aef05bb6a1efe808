import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { NoReply, Way } from './fault-way.ts';

export interface Answer {
  readonly status: number | NoReply;
  /** `Mcp-Session-Id`. */
  readonly session: string | undefined;
  /** Seconds. */
  readonly retryAfter: number;
  readonly text: string;
  /** `performance.now()`. */
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly way: Way;
}

export const INITIALIZE: object = {
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1.0.0' },
  },
};

export function toolCall(nonce: string): object {
  return { method: 'tools/call', params: { name: 'note', arguments: { nonce } } };
}

const HEADERS = ['Accept: application/json, text/event-stream', 'Content-Type: application/json'];

/** POSTs a message. Whatever becomes of it is an answer. */
export async function ask(way: Way, session: string | undefined, message: object): Promise<Answer> {
  const ofSession = [`Mcp-Session-Id: ${session}`, 'MCP-Protocol-Version: 2025-11-25'];
  const headers = session === undefined ? HEADERS : [...HEADERS, ...ofSession];
  const sentAt = performance.now();
  const reply = await way.send(
    'POST',
    headers,
    JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
  );
  const { status, head, body } =
    typeof reply === 'object' ? reply : { status: reply, head: '', body: '' };
  return {
    ...{ status, text: body, sentAt, receivedAt: performance.now(), way },
    session: /^mcp-session-id: (\S+)/im.exec(head)?.[1],
    retryAfter: Number(/^retry-after: (\d+)/im.exec(head)?.[1] ?? 0),
  };
}

/** A call that its client cannot send again, since it may have been executed. */
export interface FailedCall extends Answer {
  readonly of: string;
}

/** A gateway that is being restarted is not the only one. */
const MOST_REFUSALS = 100;

/**
 * A client that does what the specification says: on 404 it starts again, after 503 it waits, and it sends again
 * only what was not executed.
 */
export class FaultClient {
  /** The present one. */
  session = '';
  /** All it has had. */
  readonly sessions: string[] = [];
  /** Sessions that it was told are gone (404), and when. */
  readonly lost = new Map<string, Answer>();
  readonly failed: FailedCall[] = [];
  /** When its last call was answered. */
  answeredAt = -Infinity;
  readonly #ways: readonly Way[];
  #turn: number;

  /** Takes one way after the other, beginning with that of the number. */
  constructor(ways: readonly Way[], turn = 0) {
    this.#ways = ways;
    this.#turn = turn;
  }

  async open(): Promise<void> {
    const opened = await this.#askUntilTaken(undefined, INITIALIZE);
    if (opened.status !== 200 || opened.session === undefined) {
      throw new Error(`initialize was answered by ${opened.status} ${opened.text}`);
    }
    this.session = opened.session;
    this.sessions.push(opened.session);
  }

  /** One call, on another session if need be; `false`: nobody knows what became of it. */
  async call(): Promise<boolean> {
    const message = toolCall(randomUUID());
    for (;;) {
      const answer = await this.#askUntilTaken(this.session, message);
      if (answer.status === 200) {
        this.answeredAt = performance.now();
        return true;
      }
      if (answer.status !== 404) {
        this.failed.push({ ...answer, of: this.session });
        return false;
      }
      this.lost.set(this.session, answer);
      await this.open();
    }
  }

  async #askUntilTaken(session: string | undefined, message: object): Promise<Answer> {
    for (let refused = 0; refused < MOST_REFUSALS;) {
      this.#turn += 1;
      const way = this.#ways[this.#turn % this.#ways.length] as Way;
      const answer = await ask(way, session, message);
      if (answer.status === 503) await pause(answer.retryAfter * 1000);
      else if (answer.status !== 'refused') return answer;
      else refused += 1;
    }
    throw new Error('nobody listens any more');
  }
}

/** Does something for each of a list, so many at a time. */
export async function inLanes<T>(
  lanes: number,
  list: Iterable<T>,
  work: (item: T) => unknown,
): Promise<void> {
  const rest = list[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
