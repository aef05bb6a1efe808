import { hash, randomUUID } from 'node:crypto';
import { noteOf, readNote } from './record.ts';
import { seal, unseal } from './seal.ts';
import type { StoreAccess } from './store-access.ts';

/** A longer `initialize` is not kept: sealed, it has to fit in what a store takes for a record (bytes). */
export const LONGEST_OPENING: number = 8 * 1024;
/** How long a gateway may take to open a session anew before another one may try (ms). */
const CLAIM = 30_000;

const PURPOSE = 'initialize';

/** What sessions were opened with, beside their records and for as long: to open them anew. */
export class Openings {
  readonly #store: StoreAccess;
  readonly #life: number;

  /** `life`: for how long a store keeps the record of a live session, in ms. */
  constructor(store: StoreAccess, life: number) {
    this.#store = store;
    this.#life = life;
  }

  /** Keeps the body of the session's `initialize`. @throws {SessionRoutingError} `store_unavailable` */
  async keep(key: string, sessionId: string, body: string): Promise<void> {
    const at = keyOfOpening(key);
    const note = noteOf({ key: at, nonce: randomUUID(), note: seal(sessionId, PURPOSE, body) });
    await this.#store.set(at, note, this.#life);
  }

  /** The body; `undefined` if it was not kept. @throws {SessionRoutingError} `store_unavailable` */
  async read(key: string, sessionId: string): Promise<string | undefined> {
    const at = keyOfOpening(key);
    const found = await this.#store.read(at);
    const note = found && readNote(found.record, at);
    return note === undefined ? undefined : unseal(sessionId, PURPOSE, note);
  }

  /** The session is in use: what it was opened with is kept as long as its record. */
  touch(key: string): void {
    this.#besides(this.#store.touch(keyOfOpening(key), this.#life));
  }

  /** The session is over. */
  forget(key: string): void {
    this.#besides(this.#store.delete(keyOfOpening(key)));
  }

  /** `false` if another gateway opens the session anew just now. @throws {SessionRoutingError} `store_unavailable` */
  async claim(key: string): Promise<boolean> {
    const at = keyOfClaim(key);
    const note = noteOf({ key: at, nonce: randomUUID(), note: '' });
    return (await this.#store.create(at, note, CLAIM)).created;
  }

  release(key: string): void {
    this.#besides(this.#store.delete(keyOfClaim(key)));
  }

  /** Nothing depends on it, and a failing store was told already: its time removes what stays. */
  #besides(done: Promise<unknown>): void {
    done.catch(() => {});
  }
}

// As little to be told from each other as the keys of sessions are.
function keyOfOpening(key: string): string {
  return hash('sha256', `opening of ${key}`, 'hex');
}

function keyOfClaim(key: string): string {
  return hash('sha256', `claim to ${key}`, 'hex');
}
