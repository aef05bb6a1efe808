import { hash, randomUUID } from 'node:crypto';
import { noteOf, readNote } from './record.ts';
import { seal, unseal } from './seal.ts';
import type { StoreAccess } from './store-access.ts';

/** A longer `initialize` is not kept: sealed, it has to fit in what a store takes for a record (bytes). */
const LONGEST_OPENING = 8 * 1024;
/** Nor is one on a longer path, for the same reason (bytes). */
const LONGEST_PATH = 2048;
/** How long a gateway may take to open a session anew before another one may try (ms). */
const CLAIM = 30_000;

const PURPOSE = 'initialize';

/** What a session was opened with. */
export interface Opening {
  /** Path and query, as they have reached the backend. */
  readonly path: string;
  /** The body of `initialize`. */
  readonly body: string;
}

/** What sessions were opened with, beside their records and for as long: to open them anew. */
export class Openings {
  readonly #store: StoreAccess;
  readonly #lives: { readonly whole: number; readonly first: number };

  /** `lives`: for how long a store keeps the record of a live session that is in use, and of a new one (ms). */
  constructor(store: StoreAccess, lives: { readonly whole: number; readonly first: number }) {
    this.#store = store;
    this.#lives = lives;
  }

  /** Keeps it, unless it is too long. @throws {SessionRoutingError} `store_unavailable` */
  async keep(key: string, sessionId: string, { path, body }: Opening): Promise<void> {
    if (path.length > LONGEST_PATH || Buffer.byteLength(body) > LONGEST_OPENING) return;
    const at = keyOfOpening(key);
    const sealed = seal(sessionId, PURPOSE, `${path}\n${body}`);
    const note = noteOf({ key: at, nonce: randomUUID(), note: sealed });
    await this.#store.set(at, note, this.#lives.first);
  }

  /** `undefined` if it was not kept. @throws {SessionRoutingError} `store_unavailable` */
  async read(key: string, sessionId: string): Promise<Opening | undefined> {
    const at = keyOfOpening(key);
    const found = await this.#store.read(at);
    const note = found && readNote(found.record, at);
    const text = note === undefined ? undefined : unseal(sessionId, PURPOSE, note);
    if (text === undefined) return undefined;
    // No path has a line break.
    const end = text.indexOf('\n');
    return { path: text.slice(0, end), body: text.slice(end + 1) };
  }

  /** The session is in use: what it was opened with is kept as long as its record. */
  touch(key: string): void {
    this.#besides(this.#store.touch(keyOfOpening(key), this.#lives.whole));
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
