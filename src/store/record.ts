/** Key of the record's member that holds the origin of the backend that opened the session. */
export const BACKEND_URL = 'backend_url';
/** Key of the member that names the instance of the backend, where the list of backends does. */
export const BACKEND_ID = 'backend_id';
/**
 * Key of the member that holds, sealed, the id that the backend of a recovered session knows it by. Absent for a
 * session that its client and its backend know by the same id.
 */
export const BACKEND_SESSION = 'backend_session';
/** Key of the member that names the session the record belongs to (SHA-256 of its id, hex). */
export const SESSION = 'session';
/** Key of the member that counts the changes of the record; replacing is compare-and-set on it. */
export const VERSION = 'version';
/** Key of the member that tells one attempt to create a record from another. */
export const NONCE = 'nonce';
/** Key of the member that holds the path on which the session was opened. */
export const OPENED_ON = 'opened_on';
/** Key of the member of a note, which is no record of a session but lies beside one. */
export const NOTE = 'note';
/** Key of the member that holds for how many ms the record may be idle; absent where that is the ttl of sessions. */
export const IDLE = 'idle';
/**
 * Key of the member that binds the session to whom it was opened for: a MAC of it, keyed by the session id. Absent:
 * to nobody in particular.
 */
export const PRINCIPAL = 'principal';
/** Key of the member that signs the others, where there is a `secret`. */
export const MAC = 'mac';
/** Key of the member that marks a tombstone: the session was known and is over. */
export const ENDED = 'ended';
/** Key of the member that holds the layout of the record. */
export const FORMAT = 'format';

const CURRENT_FORMAT = 1;
/** Longest string in a record; an origin or a path that is longer is not one of ours (characters). */
const LONGEST_MEMBER = 2048;
/** Ten years: far less than Redis and dates bear (ms). */
export const LONGEST_IDLE: number = 10 * 365 * 24 * 60 * 60 * 1000;
/** Longest note: less than a store takes for a record (characters). */
const LONGEST_NOTE = 14 * 1024;

/** What a store keeps of a session: JSON, no member of it is secret, none holds the session id. */
export interface SessionRecord {
  readonly [FORMAT]: number;
  readonly [SESSION]: string;
  readonly [VERSION]: number;
  readonly [NONCE]: string;
  readonly [BACKEND_URL]?: string;
  readonly [BACKEND_ID]?: string;
  readonly [BACKEND_SESSION]?: string;
  readonly [NOTE]?: string;
  readonly [OPENED_ON]?: string;
  readonly [IDLE]?: number;
  readonly [PRINCIPAL]?: string;
  readonly [MAC]?: string;
  readonly [ENDED]?: true;
}

/** What was found under a session's key. */
export type Reading =
  | { readonly kind: 'live'; readonly record: SessionRecord }
  | { readonly kind: 'ended'; readonly principal: string | undefined }
  /** Corrupt, of another type, of another layout, or naming another session. */
  | { readonly kind: 'unusable' };

/** The record of a session that a backend has just opened. */
export function newRecord(session: {
  readonly key: string;
  readonly nonce: string;
  readonly backendUrl: string | undefined;
  readonly backendId?: string | undefined;
  readonly path: string | undefined;
  readonly idle?: number | undefined;
  readonly principal?: string | undefined;
}): SessionRecord {
  return {
    [FORMAT]: CURRENT_FORMAT,
    [SESSION]: session.key,
    [VERSION]: 1,
    [NONCE]: session.nonce,
    ...(session.backendUrl === undefined ? {} : { [BACKEND_URL]: session.backendUrl }),
    ...(session.backendId === undefined ? {} : { [BACKEND_ID]: session.backendId }),
    ...(isMember(session.path) ? { [OPENED_ON]: session.path } : {}),
    ...(isTime(session.idle) ? { [IDLE]: session.idle } : {}),
    ...(session.principal === undefined ? {} : { [PRINCIPAL]: session.principal }),
  };
}

/** Whether both name the same session of the same instance of the same backend. */
export function haveOneBackend(one: SessionRecord, other: SessionRecord): boolean {
  return (
    one[BACKEND_URL] === other[BACKEND_URL] &&
    one[BACKEND_ID] === other[BACKEND_ID] &&
    one[BACKEND_SESSION] === other[BACKEND_SESSION]
  );
}

/**
 * Whether a record that was found where another one was to be created is of the same session: the reply to our own
 * write was lost, or the backend repeats itself, for the same principal.
 */
export function isSameSession(present: SessionRecord, created: SessionRecord): boolean {
  if (present[NONCE] === created[NONCE]) return true;
  return haveOneBackend(present, created) && present[PRINCIPAL] === created[PRINCIPAL];
}

/** What stays of a session that is over. */
export function tombstoneOf(record: SessionRecord): SessionRecord {
  return {
    [FORMAT]: CURRENT_FORMAT,
    [SESSION]: record[SESSION],
    [VERSION]: record[VERSION] + 1,
    [NONCE]: record[NONCE],
    ...(record[PRINCIPAL] === undefined ? {} : { [PRINCIPAL]: record[PRINCIPAL] }),
    [ENDED]: true,
  };
}

/** The record of a session that another backend has opened anew; `backendSession` is sealed. */
export function recoveredRecord(
  record: SessionRecord,
  at: {
    readonly nonce: string;
    readonly backendUrl: string;
    readonly backendId: string | undefined;
    readonly backendSession: string;
  },
): SessionRecord {
  const { [BACKEND_ID]: _id, ...kept } = record;
  return {
    ...kept,
    [VERSION]: record[VERSION] + 1,
    [NONCE]: at.nonce,
    [BACKEND_URL]: at.backendUrl,
    ...(at.backendId === undefined ? {} : { [BACKEND_ID]: at.backendId }),
    [BACKEND_SESSION]: at.backendSession,
  };
}

/** What is stored beside the record of a session. It is no record: who reads it as one finds no session. */
export function noteOf(at: {
  readonly key: string;
  readonly nonce: string;
  readonly note: string;
}): SessionRecord {
  return {
    [FORMAT]: CURRENT_FORMAT,
    [SESSION]: at.key,
    [VERSION]: 1,
    [NONCE]: at.nonce,
    [NOTE]: at.note,
  };
}

/** Reads a note; `undefined` if there is none that can be read. */
export function readNote(stored: unknown, key: string): string | undefined {
  const note = own(stored, NOTE);
  const usable = own(stored, FORMAT) === CURRENT_FORMAT && own(stored, SESSION) === key;
  return usable && typeof note === 'string' && note.length <= LONGEST_NOTE ? note : undefined;
}

/** Reads what a store returned for `key`. Stores are not trusted: own members only, checked by type and length. */
export function readRecord(stored: unknown, key: string): Reading {
  try {
    return judged(stored, key);
  } catch {
    // A Proxy runs code of its owner however it is looked at.
    return { kind: 'unusable' };
  }
}

/** Whether what a store returned will read the same for ever: members of records are no objects. */
export function isUnchangeable(stored: unknown): stored is object {
  try {
    return typeof stored === 'object' && stored !== null && Object.isFrozen(stored);
  } catch {
    return false;
  }
}

function judged(stored: unknown, key: string): Reading {
  const format = own(stored, FORMAT);
  const version = own(stored, VERSION);
  const nonce = own(stored, NONCE);
  const backendUrl = own(stored, BACKEND_URL);
  const backendId = own(stored, BACKEND_ID) ?? undefined;
  const backendSession = own(stored, BACKEND_SESSION) ?? undefined;
  const openedOn = own(stored, OPENED_ON);
  const principal = own(stored, PRINCIPAL) ?? undefined;
  const idle = own(stored, IDLE);
  const usable =
    format === CURRENT_FORMAT &&
    own(stored, SESSION) === key &&
    typeof version === 'number' &&
    Number.isSafeInteger(version) &&
    isMember(nonce) &&
    (typeof backendUrl !== 'string' || isMember(backendUrl)) &&
    (backendId === undefined || isMember(backendId)) &&
    (backendSession === undefined || isMember(backendSession)) &&
    (principal === undefined || isMember(principal)) &&
    (own(stored, NOTE) ?? undefined) === undefined;
  if (!usable) return { kind: 'unusable' };
  if (own(stored, ENDED)) return { kind: 'ended', principal };
  const record: SessionRecord = {
    [FORMAT]: format,
    [SESSION]: key,
    [VERSION]: version,
    [NONCE]: nonce,
    ...(isMember(backendUrl) ? { [BACKEND_URL]: backendUrl } : {}),
    ...(isMember(backendId) ? { [BACKEND_ID]: backendId } : {}),
    ...(isMember(backendSession) ? { [BACKEND_SESSION]: backendSession } : {}),
    ...(isMember(openedOn) ? { [OPENED_ON]: openedOn } : {}),
    ...(isTime(idle) ? { [IDLE]: idle } : {}),
    ...(principal === undefined ? {} : { [PRINCIPAL]: principal }),
  };
  return { kind: 'live', record };
}

function isMember(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_MEMBER;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= LONGEST_IDLE;
}

/** A member of what a store has returned, whatever that is. */
export function own(stored: unknown, member: string): unknown {
  if (typeof stored !== 'object' || stored === null) return undefined;
  // Not read by its name: a member that is computed runs no code of its owner.
  return Object.getOwnPropertyDescriptor(stored, member)?.value;
}
