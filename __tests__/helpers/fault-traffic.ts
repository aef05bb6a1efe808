import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { echoCall, INITIALIZE, ofSession, type Addressed } from './mcp-client.ts';
import type { Hit, ScriptedBackend } from './scripted-backend.ts';

/** A request, and what became of it. */
export interface Asked {
  /** `undefined`: it was to open one. */
  readonly session: string | undefined;
  /** Names the request, for the backends to see. */
  readonly nonce: string;
  readonly status: number;
  readonly retryAfter: string | null;
  /** Of the session that was opened. */
  readonly opened: string | undefined;
  readonly sentAt: number;
  readonly took: number;
}

/** Calls a tool of the session. */
export function call(at: Addressed, session: string): Promise<Asked> {
  const nonce = randomUUID();
  return ask(at, session, nonce, echoCall(nonce));
}

/** Opens a session. */
export function open(at: Addressed): Promise<Asked> {
  return ask(at, undefined, randomUUID(), INITIALIZE);
}

async function ask(
  at: Addressed,
  session: string | undefined,
  nonce: string,
  body: string,
): Promise<Asked> {
  const headers = {
    Accept: 'application/json, text/event-stream',
    'Content-Type': 'application/json',
    ...(session !== undefined && ofSession(session)),
  };
  const sentAt = performance.now();
  const response = await fetch(new URL('/mcp', at.url), { method: 'POST', headers, body });
  await response.text();
  return {
    ...{ session, nonce, sentAt },
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    opened: response.headers.get('mcp-session-id') ?? undefined,
    took: performance.now() - sentAt,
  };
}

export interface Traffic {
  /** All that was asked so far. */
  readonly asked: readonly Asked[];
  /** Resolves when so many more requests were answered. */
  more(count: number): Promise<void>;
  stop(): Promise<readonly Asked[]>;
}

/** Between two requests of one worker (ms): so that it is the gateway that is measured, not the machine. */
const PACE = 20;

/** Workers that ask one thing after the other, until they are told to stop. */
export function keepAsking(workers: readonly (() => Promise<Asked>)[]): Traffic {
  const asked: Asked[] = [];
  const stopped = new AbortController();
  const all = Promise.all(
    workers.map(async (next) => {
      while (!stopped.signal.aborted) {
        asked.push(await next());
        await pause(PACE);
      }
    }),
  );
  return {
    asked,
    async more(count) {
      const enough = asked.length + count;
      while (asked.length < enough) await pause(PACE);
    },
    async stop() {
      stopped.abort();
      await all;
      return asked;
    },
  };
}

/** One of the list, another one each time. */
export function eachInTurn<T>(list: readonly T[]): () => T {
  let turn = 0;
  return () => {
    turn += 1;
    return list[turn % list.length] as T;
  };
}

export interface Verdict {
  /** Requests that reached a backend which does not own their session. */
  readonly astray: string[];
  /** Requests that were executed more than once, or although they were refused, or not although they were answered. */
  readonly miscounted: string[];
}

/** What the backends have seen, held against what the clients were answered. */
export function judge(backends: readonly ScriptedBackend[], asked: readonly Asked[] = []): Verdict {
  const executed = new Map<string, number>();
  const astray: string[] = [];
  for (const backend of backends) {
    for (const hit of backend.hits) {
      const session = hit.headers['mcp-session-id']?.toString();
      if (session !== undefined && !session.startsWith(`${backend.name}-`)) {
        astray.push(`${session} at ${backend.name}`);
      }
      const nonce = nonceOf(hit);
      if (nonce !== undefined) executed.set(nonce, (executed.get(nonce) ?? 0) + 1);
    }
  }
  const miscounted = [...executed.values()]
    .filter((times) => times > 1)
    .map((times) => `executed ${times} times`);
  for (const { session, nonce, status } of asked) {
    const times = executed.get(nonce) ?? 0;
    if (session !== undefined && times !== (status === 200 ? 1 : 0)) {
      miscounted.push(`answered ${status}, executed ${times} times`);
    }
  }
  return { astray, miscounted };
}

/** Nothing has gone astray, nothing was executed twice. */
export const FAULTLESS: Verdict = { astray: [], miscounted: [] };

function nonceOf({ body }: Hit): string | undefined {
  return /"text":"([^"]+)"/.exec(body.toString('utf8'))?.[1];
}

export function statusesOf(asked: readonly Asked[]): number[] {
  return [...new Set(asked.map(({ status }) => status))].toSorted((one, other) => one - other);
}

/** Milliseconds from the first request that failed to the last one. */
export function failedFor(asked: readonly Asked[]): number {
  const failed = asked
    .filter(({ status }) => status !== 200)
    .map(({ sentAt, took }) => sentAt + took);
  return failed.length === 0 ? 0 : Math.max(...failed) - Math.min(...failed);
}

/** Milliseconds until all of these are answered by 200, which are asked until they are. */
export async function healing(...requests: (() => Promise<Asked>)[]): Promise<number> {
  const began = performance.now();
  await Promise.all(
    requests.map(async (next) => {
      while ((await next()).status !== 200) await pause(PACE);
    }),
  );
  return performance.now() - began;
}

/** Calls each session, until it is told something else than to try later. */
export async function callAll(at: Addressed, sessions: readonly string[]): Promise<Asked[]> {
  const left = [...sessions];
  const answers: Asked[] = [];
  const work = async (): Promise<void> => {
    for (let session = left.pop(); session !== undefined; session = left.pop()) {
      let asked = await call(at, session);
      for (; asked.status === 503; asked = await call(at, session)) await pause(PACE);
      answers.push(asked);
    }
  };
  // More at once would measure how long they wait for each other.
  await Promise.all(Array.from({ length: 32 }, work));
  return answers;
}

/** Sessions whose id a client has seen. */
export function published(asked: readonly Asked[]): string[] {
  return asked.flatMap(({ status, opened }) => (status === 200 && opened ? [opened] : []));
}
