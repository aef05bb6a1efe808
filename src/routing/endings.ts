import { isKnownLostSession, readNotFound } from '../protocol/backend-answer.ts';
import type { SessionRecord } from '../store/record.ts';
import type { SessionDirectory } from '../store/session-directory.ts';
import { onSessionPath, type Asked } from './answer.ts';
import type { Places } from './places.ts';
import type { PinnedRoute, Stop } from './route.ts';

/** Whether this answer of a backend, to a request of a session, means that it has forgotten the session. */
export type LostSession = (status: number, body: string) => boolean;

/** What an answer's body has told. */
export type InspectedAnswer = 'pass' | 'session_lost';

export interface EndingsOptions {
  readonly directory: SessionDirectory;
  readonly places: Places;
  /** `undefined`: the two answers that are known. */
  readonly lostSession: LostSession | undefined;
}

/** When a session is over. */
export class Endings {
  readonly #options: EndingsOptions;

  constructor(options: EndingsOptions) {
    this.#options = options;
  }

  /** Ends a session whose backend seems lost, or follows it to where another gateway has moved it. */
  async endOrFollow(
    key: string,
    record: SessionRecord,
    method: string | undefined,
    reason: 'session_ended' | 'session_lost',
  ): Promise<PinnedRoute | Stop> {
    const { directory, places } = this.#options;
    const result = await directory.endUnlessMoved(key, record);
    if (result.kind === 'moved') {
      const owner = places.ownerOf(result.record);
      if (owner) return { kind: 'pinned', key, record: result.record, backendUrl: owner.url };
      await directory.end(key, result.record);
    }
    if (result.kind === 'unavailable') return { kind: 'refuse', reason: 'store_unavailable' };
    return method === 'DELETE' ? { kind: 'deleted' } : { kind: 'refuse', reason };
  }

  /** Ends the session of a DELETE that its backend has carried out (C1). */
  async deleted(route: PinnedRoute): Promise<void> {
    const { directory } = this.#options;
    const { kind } = await directory.end(route.key, route.record);
    // The backend has ended it, whatever the store says: this gateway at least remembers.
    if (kind === 'unavailable') directory.forget(route.key);
  }

  /** Whether an answer with this status may tell of a lost session. */
  inspects(status: number): boolean {
    return this.#options.lostSession ? status >= 400 : status === 400;
  }

  /** Reads the body of an answer that may tell of a lost session (C4, C5). */
  async inspect(
    route: PinnedRoute,
    asked: Asked,
    status: number,
    body: string,
  ): Promise<InspectedAnswer> {
    const lostSession = this.#options.lostSession ?? isKnownLostSession;
    const lost = lostSession(status, body);
    const over =
      lost || (status === 404 && onSessionPath(route, asked) && readNotFound(body) === 'session');
    if (!over) return 'pass';
    const { kind } = await this.#options.directory.endUnlessMoved(route.key, route.record);
    return lost && kind === 'ended' ? 'session_lost' : 'pass';
  }
}
