import type { BalancedRequest } from '../backends/balance.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import type { SessionStore } from '../store/session-store.ts';
import { noIfItThrows, yesOrNo } from '../store/user-code.ts';
import { Recovery, type LostSessionInfo, type RecoveryOptions } from './recovery.ts';

/** The option `recover`. */
export type Recover<Req extends BalancedRequest> =
  | boolean
  | ((session: LostSessionInfo, req: Req) => boolean);

/** @throws {SessionRoutingError} `invalid_option` for a store in which two gateways could recover one session */
export function recoveryOf<Req extends BalancedRequest>(
  recover: Recover<Req> | undefined,
  store: SessionStore,
  options: Omit<RecoveryOptions, 'wanted'>,
): Recovery | undefined {
  if (recover === undefined || recover === false) return undefined;
  if (store.replace === undefined) {
    throw new SessionRoutingError(
      'invalid_option',
      'mcpSessionRouting: option "recover" needs a store with "replace": MemoryStore, RedisStore, or one of your own',
    );
  }
  const asked = recover === true ? undefined : noIfItThrows(yesOrNo('recover', recover));
  return new Recovery({
    ...options,
    // The request that is asked for is the one that express has handed over.
    wanted: (session, req) => asked?.(session, req as Req) ?? true,
  });
}
