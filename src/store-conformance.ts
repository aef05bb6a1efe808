import { ATOMIC } from './store-conformance/atomic.ts';
import { BASIC } from './store-conformance/basic.ts';
import { givenBy, type MakeStore } from './store-conformance/kit.ts';

export type { MakeStore } from './store-conformance/kit.ts';

/**
 * What a store promises. `basic`: it keeps records, for their time. `atomic`: it also creates and replaces so that
 * of several gateways one wins, and tells the remaining time.
 */
export type StoreLevel = 'basic' | 'atomic';

/** One rule for stores. */
export interface StoreCheck {
  /** A sentence, to name a test by. */
  readonly name: string;
  /** Rejects with an `AssertionError` if the store breaks the rule. Ids are random: no clearing between checks. */
  readonly run: (makeStore: MakeStore) => Promise<void>;
}

export interface StoreCheckOptions {
  /** Longest that an expiry or an ending may take until it shows (ms). @default 5000 */
  readonly deadline?: number;
}

/**
 * The rules that a store has to keep, for the test runner of your choice. Level `atomic` has the rules of `basic`
 * too. A verb that a store may leave out, and does, is not checked.
 *
 * @example <caption>node:test</caption>
 * import { test } from 'node:test';
 * import { storeChecks } from 'mcp-session-routing/store-conformance';
 *
 * const store = new MyStore();
 * for (const { name, run } of storeChecks('basic')) test(name, () => run(() => store));
 *
 * @example <caption>jest</caption>
 * import { expect, test } from '@jest/globals';
 * import { storeChecks } from 'mcp-session-routing/store-conformance';
 *
 * const store = new MyStore();
 * test.each(storeChecks('atomic'))('MyStore $name', async ({ run }) => {
 *   await expect(run(() => store)).resolves.toBeUndefined();
 * });
 */
export function storeChecks(
  level: StoreLevel,
  options: StoreCheckOptions = {},
): readonly StoreCheck[] {
  const { deadline = 5000 } = options;
  const rules = level === 'basic' ? BASIC : [...BASIC, ...ATOMIC];
  return rules.map(({ name, holds }) => ({
    name,
    run: async (makeStore) => holds(await givenBy(makeStore, deadline)),
  }));
}
