import type { BalancedRequest } from '../backends/balance.ts';
import { originOf } from '../backends/origin.ts';
import { isSessionId } from '../protocol/session-id.ts';
import type { SessionRecord } from '../store/record.ts';
import type { Lookup, SessionDirectory } from '../store/session-directory.ts';
import type { Awaitable } from '../store/session-store.ts';
import { asSeenBy, type Caller } from './caller.ts';
import { decideByQuery } from './decide.ts';
import type { Losses } from './losses.ts';
import type { Places } from './places.ts';
import type { NamedSession, OpenRoute, PinnedRoute, Route, Stop } from './route.ts';

/** Finds the session, or the task, that a request names, and its way. */
export class SessionFinder {
  readonly #directory: SessionDirectory;
  readonly #places: Places;
  readonly #losses: Losses;

  constructor(directory: SessionDirectory, places: Places, losses: Losses) {
    this.#directory = directory;
    this.#places = places;
    this.#losses = losses;
  }

  /** The route of a request of a live session, unless its backend is not (any more) one of the list (D8). */
  pin(
    session: NamedSession,
    record: SessionRecord,
    req: BalancedRequest,
  ): Awaitable<PinnedRoute | Stop> {
    return this.#places.pinned(session, record) ?? this.#losses.unlisted(session, record, req);
  }

  /** What a caller may know of a session. Of somebody else's they neither learn anything, nor keep it alive (A11). */
  find({ key, id }: NamedSession, caller: Caller | undefined): Awaitable<Lookup> {
    if (!caller) return this.#directory.lookup(key);
    const found = this.#directory.lookup(key, false);
    const seen = (lookup: Lookup): Awaitable<Lookup> => {
      const theirs = asSeenBy(caller, id, lookup);
      if (theirs.kind !== lookup.kind) return this.#neverIssued(key);
      if (theirs.kind === 'live') this.#directory.used(key);
      return theirs;
    };
    return found instanceof Promise ? found.then(seen) : seen(found);
  }

  /** What was never issued is not in the cache: the store is asked, and may fail. */
  #neverIssued(key: string): Awaitable<Lookup> {
    const found = this.#directory.lookupAnew(key);
    const hidden = ({ kind }: Lookup): Lookup => ({
      kind: kind === 'unavailable' ? kind : 'unknown',
    });
    return found instanceof Promise ? found.then(hidden) : hidden(found);
  }

  /** The route of a POST of HTTP+SSE, whose session is named by its query (E5, E6). */
  async byQuery(
    session: NamedSession,
    req: BalancedRequest,
    caller: Caller | undefined,
  ): Promise<PinnedRoute | Stop> {
    if (!isSessionId(session.id)) return { kind: 'refuse', reason: 'invalid_session_id' };
    const decision = decideByQuery(await this.find(session, caller));
    return decision.kind === 'pinned' ? this.pin(session, decision.record, req) : decision;
  }

  /** The route of a request about a task (E3); `undefined`: nobody is known to hold it. */
  async byTask(
    task: NamedSession,
    req: BalancedRequest,
    caller: Caller | undefined,
    route: Route,
  ): Promise<PinnedRoute | Stop | undefined> {
    const seen = await this.find(task, caller);
    switch (seen.kind) {
      case 'live':
        return this.pin(task, seen.record, req);
      case 'ended':
        return { kind: 'refuse', reason: 'task_lost' };
      case 'unavailable':
        return { kind: 'refuse', reason: 'store_unavailable' };
      case 'unknown':
        return caller && route.kind === 'open' ? this.#avoidOwner(task.key, route) : undefined;
    }
  }

  /** The task is not the caller's, if it is known at all. */
  async #avoidOwner(key: string, route: OpenRoute): Promise<Stop | undefined> {
    const known = await this.#directory.lookup(key, false);
    // Who has held it is not known any more, and may hold it still.
    if (known.kind === 'ended') return { kind: 'refuse', reason: 'task_lost' };
    if (known.kind === 'live') route.avoids = originOf(this.#places.ownerOf(known.record)?.url);
    return undefined;
  }
}
