import { isKnownLostSession, readNotFound } from '../protocol/backend-answer.ts';
import type { EndReason } from '../store/end-reason.ts';
import type { SessionRecord } from '../store/record.ts';
import type { SessionDirectory } from '../store/session-directory.ts';
import { onSessionPath, type Asked } from './answer.ts';
import type { Places } from './places.ts';
import type { NamedSession, PinnedRoute, Stop } from './route.ts';

/** Whether this answer of a backend, to a request of a session, means that it has forgotten the session. */
export type LostSession = (status: number, body: string) => boolean;

/** `over`: the backend says so in a way that clients understand; `lost`: in another way. */
export type Judgement = 'live' | 'over' | 'lost';

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
    session: NamedSession,
    record: SessionRecord,
    method: string | undefined,
    reason: 'session_ended' | 'session_lost' | 'task_lost',
  ): Promise<PinnedRoute | Stop> {
    const { directory, places } = this.#options;
    const why = method === 'DELETE' ? 'deleted' : 'lost';
    const result = await directory.endUnlessMoved(session.key, record, why);
    if (result.kind === 'moved') {
      const moved = places.pinned(session, result.record);
      if (moved) return moved;
      await directory.end(session.key, result.record, why);
    }
    if (result.kind === 'unavailable') return { kind: 'refuse', reason: 'store_unavailable' };
    return method === 'DELETE' ? { kind: 'deleted' } : { kind: 'refuse', reason };
  }

  /** Ends the session of a DELETE that its backend has carried out (C1). */
  async deleted(route: PinnedRoute): Promise<void> {
    const { directory } = this.#options;
    const { kind } = await directory.end(route.key, route.record, 'deleted');
    // Recovered while the DELETE was on its way: its client has it no more all the same.
    if (kind === 'moved') await this.#endAnyway(route.key, 'deleted');
    // The backend has ended it, whatever the store says: this gateway at least remembers.
    if (kind === 'unavailable') directory.forget(route.key, route.record, 'deleted');
  }

  /** The stream of a session of HTTP+SSE is over, and so is the session (E5). */
  closed(key: string): Promise<void> {
    return this.#endAnyway(key, 'closed');
  }

  /** Ends a session wherever it is now. */
  async #endAnyway(key: string, reason: EndReason): Promise<void> {
    try {
      await this.#options.directory.endNow(key, reason);
    } catch {
      // Told by the directory; the time of the record ends it.
    }
  }

  /** Whether an answer with this status may tell of a lost session. */
  inspects(status: number): boolean {
    return this.#options.lostSession ? status >= 400 : status === 400;
  }

  /** What the body of an answer tells of its session (C4, C5). */
  judge(route: PinnedRoute, asked: Asked, status: number, body: string): Judgement {
    const lostSession = this.#options.lostSession ?? isKnownLostSession;
    if (lostSession(status, body)) return 'lost';
    const over = status === 404 && onSessionPath(route, asked) && readNotFound(body) === 'session';
    return over ? 'over' : 'live';
  }
}
