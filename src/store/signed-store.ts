import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  BACKEND_ID,
  BACKEND_SESSION,
  BACKEND_URL,
  ENDED,
  FORMAT,
  IDLE,
  MAC,
  NONCE,
  NOTE,
  OPENED_ON,
  own,
  PRINCIPAL,
  SESSION,
  VERSION,
  type SessionRecord,
} from './record.ts';
import type { SessionStore } from './session-store.ts';

/** All members that mean anything, in the order in which they are signed. */
const SIGNED = [
  ...[FORMAT, SESSION, VERSION, NONCE, BACKEND_URL, BACKEND_ID, BACKEND_SESSION],
  ...[NOTE, OPENED_ON, IDLE, PRINCIPAL, ENDED],
];

/** What is read in place of a record that nobody has signed: it is not absent, and no record either. */
const UNSIGNED = 'unsigned';

/**
 * A store whose records nobody can make up who can only write to it. What it can be made to do is to give back an
 * older record of the same session.
 *
 * @param secrets the first one signs, each is believed
 */
export function signedStore(store: SessionStore, secrets: readonly string[]): SessionStore {
  const [secret = ''] = secrets;

  function sign(record: SessionRecord): SessionRecord {
    return { ...record, [MAC]: macOf(record, secret) };
  }

  function verified(found: unknown): unknown {
    if (found === undefined || found === null) return found;
    try {
      const mac = own(found, MAC);
      return secrets.some((each) => isSame(mac, macOf(found, each))) ? found : UNSIGNED;
    } catch {
      // Whatever cannot be looked at was not signed.
      return UNSIGNED;
    }
  }

  const getWithExpiry = store.getWithExpiry?.bind(store);
  const create = store.create?.bind(store);
  const replace = store.replace?.bind(store);
  const [touch, subscribe] = [store.touch?.bind(store), store.subscribe?.bind(store)];
  const [probe, close] = [store.probe?.bind(store), store.close?.bind(store)];
  // What a store does not have it must not seem to have: it is made up for.
  return {
    get: async (id) => verified(await store.get(id)),
    set: (id, record, ttl) => store.set(id, sign(record), ttl),
    delete: (id) => store.delete(id),
    ...(getWithExpiry && {
      async getWithExpiry(id) {
        const found = (await getWithExpiry(id)) ?? undefined;
        return found && { record: verified(found.record), expiresIn: found.expiresIn };
      },
    }),
    ...(create && { create: (id, record, ttl) => create(id, sign(record), ttl) }),
    ...(replace && {
      replace: (id, record, ttl, version) => replace(id, sign(record), ttl, version),
    }),
    ...(touch && { touch }),
    ...(subscribe && { subscribe }),
    ...(probe && { probe }),
    ...(close && { close }),
  };
}

/** A member that is missing and one that is null are the same. */
function macOf(record: unknown, secret: string): string {
  const members = SIGNED.map((name) => own(record, name) ?? null);
  return createHmac('sha256', secret).update(JSON.stringify(members)).digest('base64url');
}

function isSame(mac: unknown, expected: string): boolean {
  if (typeof mac !== 'string') return false;
  const [one, other] = [Buffer.from(mac), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
