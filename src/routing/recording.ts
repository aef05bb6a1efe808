import { randomUUID } from 'node:crypto';
import { originOf } from '../backends/origin.ts';
import type { CreatedTask } from '../protocol/tasks.ts';
import type { Opening } from '../store/openings.ts';
import { LONGEST_IDLE, newRecord } from '../store/record.ts';
import type { Creation, SessionDirectory } from '../store/session-directory.ts';
import { markFor, type Caller } from './caller.ts';
import { keyOfTask } from './keys.ts';
import type { Places } from './places.ts';
import type { Recovery } from './recovery.ts';
import type { NamedSession, Route } from './route.ts';

export interface RecordingOptions {
  readonly directory: SessionDirectory;
  readonly places: Places;
  readonly recovery: Recovery | undefined;
  readonly onOpened: (key: string, backendUrl: string | undefined) => void;
}

/** What is stored of the answers of backends. */
export class Recording {
  readonly #options: RecordingOptions;

  constructor(options: RecordingOptions) {
    this.#options = options;
  }

  /**
   * Stores the session that an answer opens (B1, B5).
   * @throws {SessionRoutingError} `store_unavailable`
   */
  async session(
    route: Route,
    { key, id }: NamedSession,
    path: string,
    {
      caller,
      opening,
    }: { readonly caller: Caller | undefined; readonly opening?: Opening | undefined },
  ): Promise<Creation> {
    if (route.kind === 'open' && route.nameless) return 'conflict';
    const { directory, places, recovery, onOpened } = this.#options;
    const { backendUrl } = route;
    const backendId = route.kind === 'open' ? route.backendId : undefined;
    const nonce = randomUUID();
    const principal = markFor(caller, id);
    const record = newRecord({ key, nonce, backendUrl, backendId, path, principal });
    const outcome = await directory.create(key, record);
    if (outcome === 'created') {
      if (opening !== undefined) await recovery?.keep(key, id, opening);
      const backend = places.backends?.find(originOf(backendUrl) ?? '', backendId);
      if (backend) backend.opened += 1;
      onOpened(key, backendUrl);
    }
    return outcome;
  }

  /**
   * Stores who holds a task that an answer has created (E3).
   * @throws {SessionRoutingError} `store_unavailable`
   */
  async task(route: Route, task: CreatedTask, caller: Caller | undefined): Promise<Creation> {
    const { backendUrl } = route;
    const backendId = route.kind === 'open' ? route.backendId : undefined;
    const key = keyOfTask(task.id);
    // Its whole time from the beginning: it is asked for now and then.
    const idle = Math.min(task.ttl ?? this.#options.directory.idle, LONGEST_IDLE);
    const record = newRecord({
      key,
      nonce: randomUUID(),
      backendUrl,
      backendId,
      path: undefined,
      idle,
      principal: markFor(caller, task.id),
    });
    return this.#options.directory.create(key, record);
  }
}
