import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { newRecord, type SessionRecord } from '../store/record.ts';
import { resolveStore, type StoreLike } from '../store/resolve-store.ts';
import type { Awaitable, SessionStore } from '../store/session-store.ts';

/**
 * Gives the store under test, as `mcpSessionRouting` takes it. A check may call it twice, as two gateways would
 * have it: both must be over the same sessions. Where there is only one (memory), return it each time.
 */
export type MakeStore = () => Awaitable<NonNullable<StoreLike>>;

export const MINUTE = 60_000;
/** How many do the same thing at the same time. */
export const RIVALS = 20;

/** What a rule is about. */
export interface Given {
  readonly store: SessionStore;
  /** Another instance over the same sessions. */
  readonly other: SessionStore;
  readonly id: string;
  /** Longest that an expiry or an ending may take until it shows (ms). */
  readonly deadline: number;
}

export interface Rule {
  /** A sentence. */
  readonly name: string;
  /** Rejects if the store breaks the rule. */
  readonly holds: (given: Given) => Promise<void>;
}

export function rule(name: string, holds: (given: Given) => Promise<void>): Rule {
  return { name, holds };
}

export async function givenBy(makeStore: MakeStore, deadline: number): Promise<Given> {
  const { store } = resolveStore(await makeStore());
  const { store: other } = resolveStore(await makeStore());
  return { store, other, id: newId(), deadline };
}

/** Ids are SHA-256 in hex. */
export function newId(): string {
  return randomBytes(32).toString('hex');
}

export function recordOf(id: string, backendUrl = 'http://127.0.0.1:8080'): SessionRecord {
  return newRecord({ key: id, nonce: `nonce of ${backendUrl}`, backendUrl, path: '/mcp' });
}

export function assertAbsent(found: unknown): void {
  assert.ok(found === undefined || found === null, 'absent is undefined (or null)');
}

export function assertRecord(found: unknown, expected: SessionRecord): void {
  assert.ok(typeof found === 'object' && found !== null, 'there is a record');
  // A prototype does not matter.
  assert.deepEqual({ ...found }, expected);
}

export async function untilAbsent({ store, deadline }: Given, id: string): Promise<void> {
  const absent = async (): Promise<boolean> => ((await store.get(id)) ?? undefined) === undefined;
  await until(absent, deadline, 'a record outlived its ttl');
}

/** Until a record that is stored now with this ttl has gone: it tells the time by the store's own clock. */
export async function untilExpired(given: Given, ttl = 50): Promise<void> {
  const id = newId();
  await given.store.set(id, recordOf(id), ttl);
  await untilAbsent(given, id);
}

export async function until(
  condition: () => Awaitable<boolean>,
  deadline: number,
  otherwise: string,
): Promise<void> {
  const end = performance.now() + deadline;
  while (!(await condition())) {
    assert.ok(performance.now() < end, `${otherwise}, after ${deadline} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
