import { randomUUID } from 'node:crypto';
import type { BalancedRequest } from '../backends/balance.ts';
import { originOf } from '../backends/origin.ts';
import { Openings, type Opening } from '../store/openings.ts';
import {
  BACKEND_SESSION,
  haveOneBackend,
  recoveredRecord,
  type SessionRecord,
} from '../store/record.ts';
import { seal } from '../store/seal.ts';
import type { SessionDirectory } from '../store/session-directory.ts';
import type { Places } from './places.ts';
import type { NamedSession, PinnedRoute, Stop } from './route.ts';

/** What `recover` is told of a session that is lost. */
export interface LostSessionInfo {
  /** First 12 hex digits of the SHA-256 of its id. */
  readonly session: string;
  /** Origin of the backend that it was lost with, if it is known. */
  readonly backend: string | undefined;
}

/** How a backend answered the `initialize` that opens a session anew. */
export type Opened =
  | { readonly kind: 'opened'; readonly sessionId: string }
  /** No connection could be made: another backend may be tried. */
  | { readonly kind: 'unreachable' }
  /** It did not open one. */
  | { readonly kind: 'failed' };

/** The client's own `initialize`, for another backend. */
export interface NewOpening extends Opening {
  readonly origin: string;
  /** The request that found the session lost: its credentials are used. */
  readonly req: BalancedRequest;
}

export interface RecoveryOptions {
  readonly directory: SessionDirectory;
  readonly places: Places;
  /** Whether this session is to be recovered by this request. */
  readonly wanted: (session: LostSessionInfo, req: BalancedRequest) => boolean;
  readonly open: (opening: NewOpening) => Promise<Opened>;
  /** Deletes a backend session that turned out to be one too many. */
  readonly forget: (opening: NewOpening, sessionId: string) => void;
  readonly onRecovered: (key: string, backendUrl: string) => void;
}

type Outcome =
  | { readonly kind: 'moved'; readonly record: SessionRecord }
  | { readonly kind: 'ended' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'no_backend' }
  /** It cannot be done: what the session was opened with is not known, or no backend takes it. */
  | { readonly kind: 'impossible' };

/** How long another gateway is waited for that recovers the session (ms), and how often it is looked after. */
const PATIENCE = 5000;
const INTERVAL = 50;

/**
 * Opens lost sessions anew on another backend, under the id that the client knows. What the old backend had in its
 * memory is gone.
 *
 * Of all requests that find a session lost one opens it: on this process by a promise that they share, among
 * gateways by a claim in the store, and whatever happens by the version of the record.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #openings: Openings;
  readonly #running = new Map<string, Promise<Outcome>>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#openings = new Openings(options.directory.access, options.directory.lives);
  }

  /** The session is in use. */
  refreshed(key: string): void {
    this.#openings.touch(key);
  }

  /** The session is over. */
  ended(key: string): void {
    this.#openings.forget(key);
  }

  /** Keeps what a session was opened with. Where that fails the session is as good as any other, until it is lost. */
  async keep(key: string, sessionId: string, opening: Opening): Promise<void> {
    try {
      await this.#openings.keep(key, sessionId, opening);
    } catch {
      // Counted and told by the store's access.
    }
  }

  /** Where the session goes on, or why it cannot now; `undefined`: it is not recovered, and so is over. */
  async recover(
    session: NamedSession,
    record: SessionRecord,
    req: BalancedRequest,
  ): Promise<PinnedRoute | Stop | undefined> {
    const { places, wanted } = this.#options;
    if (req.method === 'DELETE') return undefined;
    const backend = places.ownerOf(record)?.url;
    if (!wanted({ session: session.key.slice(0, 12), backend }, req)) return undefined;
    const outcome = await this.#once(session, record, req);
    switch (outcome.kind) {
      case 'moved':
        return places.pinned(session, outcome.record);
      case 'ended':
        return { kind: 'refuse', reason: 'session_ended' };
      case 'unavailable':
        return { kind: 'refuse', reason: 'store_unavailable' };
      case 'no_backend':
        return { kind: 'refuse', reason: 'backend_unreachable' };
      case 'impossible':
        return undefined;
    }
  }

  #once(session: NamedSession, record: SessionRecord, req: BalancedRequest): Promise<Outcome> {
    const running = this.#running.get(session.key);
    if (running) return running;
    const begun = this.#run(session, record, req)
      .catch((): Outcome => ({ kind: 'unavailable' }))
      .finally(() => this.#running.delete(session.key));
    this.#running.set(session.key, begun);
    return begun;
  }

  async #run(session: NamedSession, record: SessionRecord, req: BalancedRequest): Promise<Outcome> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const present = await this.#present(session, record);
      if (present.kind !== 'same') return present;
      if (await this.#openings.claim(session.key)) return this.#runClaimed(session, record, req);
      if (performance.now() > deadline) return { kind: 'no_backend' };
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    }
  }

  async #runClaimed(
    session: NamedSession,
    record: SessionRecord,
    req: BalancedRequest,
  ): Promise<Outcome> {
    try {
      // Between the look at the record and the claim another gateway may have come to its end.
      const present = await this.#present(session, record);
      if (present.kind !== 'same') return present;
      const kept = await this.#openings.read(session.key, session.id);
      if (kept === undefined) return { kind: 'impossible' };
      return await this.#openAnew(session, present.record, kept, req);
    } finally {
      this.#openings.release(session.key);
    }
  }

  /** What has become of the session meanwhile. */
  async #present(
    session: NamedSession,
    record: SessionRecord,
  ): Promise<Outcome | { readonly kind: 'same'; readonly record: SessionRecord }> {
    const present = await this.#options.directory.lookupAnew(session.key);
    if (present.kind === 'unavailable') return present;
    if (present.kind !== 'live') return { kind: 'ended' };
    const kind = haveOneBackend(present.record, record) ? 'same' : 'moved';
    return { kind, record: present.record };
  }

  async #openAnew(
    session: NamedSession,
    record: SessionRecord,
    kept: Opening,
    req: BalancedRequest,
  ): Promise<Outcome> {
    const { places, open } = this.#options;
    const candidates = this.#candidates(record, req);
    for (const origin of candidates) {
      const opening = { origin, ...kept, req };
      const opened = await open(opening);
      if (opened.kind === 'failed') return { kind: 'impossible' };
      if (opened.kind === 'opened') return this.#move(session, record, opening, opened.sessionId);
      places.healthOf(origin).failed();
    }
    // It may come back, for as long as a session is kept that cannot be reached.
    const hope = candidates.some((origin) => !places.isGivenUp(origin));
    return { kind: hope ? 'no_backend' : 'impossible' };
  }

  /** Without a list of backends there is only the place where the session was. */
  #candidates(record: SessionRecord, req: BalancedRequest): readonly string[] {
    const { places } = this.#options;
    if (places.backends) return places.backends.choose(req, 'opening');
    const origin = originOf(places.ownerOf(record)?.url);
    return origin === undefined ? [] : [origin];
  }

  async #move(
    session: NamedSession,
    record: SessionRecord,
    opening: NewOpening,
    sessionId: string,
  ): Promise<Outcome> {
    const { directory, places, forget, onRecovered } = this.#options;
    const recovered = recoveredRecord(record, {
      nonce: randomUUID(),
      backendUrl: opening.origin,
      backendId: places.backends?.find(opening.origin)?.id,
      backendSession: seal(session.id, BACKEND_SESSION, sessionId),
    });
    const outcome = await directory.move(session.key, recovered);
    if (outcome.kind === 'moved' && haveOneBackend(outcome.record, recovered)) {
      onRecovered(session.key, opening.origin);
    } else {
      forget(opening, sessionId);
    }
    return outcome;
  }
}
