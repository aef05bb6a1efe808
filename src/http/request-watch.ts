import type { IncomingMessage, ServerResponse } from 'node:http';
import { originOf } from '../backends/origin.ts';
import type { Reason } from '../protocol/reasons.ts';
import type { DecisionKind } from '../routing/kind.ts';
import { tell } from '../store/user-code.ts';

/** A request that is over. */
export interface DecidedRequest {
  /** When it came, in milliseconds since 1970. */
  readonly at: number;
  /** `refused`: it was answered in place of a backend, whatever was decided before. */
  readonly kind: DecisionKind | 'refused';
  /** First 12 hex digits of the key of its session, or of the one that it has opened. */
  readonly session: string | undefined;
  /** Origin of the backend that it was sent to last. */
  readonly backend: string | undefined;
  /** Its HTTP method. */
  readonly method: string | undefined;
  /** Of its answer; `undefined`: the client has left before there was any. */
  readonly status: number | undefined;
  /** Milliseconds until its answer was over. */
  readonly duration: number;
  /** Why it was refused. */
  readonly reason: Reason | undefined;
}

/** Who is told of one request while it is on its way; of a session by the first 12 hex digits of its key. */
export interface RequestObserver {
  /** It was decided, and may be once more: `pinned` first, then `recovered`. */
  readonly decided: (kind: DecisionKind, session: string | undefined) => void;
  /** It is sent there, and may be sent elsewhere next where no connection can be made. */
  readonly goesTo: (backend: string) => void;
  /** Its answer has opened a session, which is stored; the client has not got it yet. */
  readonly opened: (session: string) => void;
  readonly refused: (reason: Reason) => void;
}

/** Who wants to know what becomes of a request. */
export interface Audience {
  readonly observers: readonly RequestObserver[];
  /** To be told when its answer is over. */
  readonly onDecided: ((request: DecidedRequest) => void) | undefined;
}

/** One request, as it is told to those who want to know of each of them. */
export class RequestWatch {
  readonly #observers: readonly RequestObserver[];
  #kind: DecisionKind | undefined;
  #session: string | undefined;
  #backend: string | undefined;
  #reason: Reason | undefined;

  constructor(req: IncomingMessage, res: ServerResponse, { observers, onDecided }: Audience) {
    this.#observers = observers;
    if (!onDecided) return;
    const at = Date.now();
    const begun = performance.now();
    res.once('close', () => {
      const kind = this.#reason === undefined ? this.#kind : 'refused';
      // Nobody has asked for it to be routed: it is a request of the app (A14).
      if (kind === undefined) return;
      onDecided({
        ...{ at, kind, session: this.#session, backend: this.#backend, method: req.method },
        status: res.headersSent ? res.statusCode : undefined,
        duration: performance.now() - begun,
        reason: this.#reason,
      });
    });
  }

  decided(kind: DecisionKind, key: string | undefined): void {
    this.#kind = kind;
    const session = this.#isOf(key);
    this.#tell((each) => each.decided(kind, session));
  }

  goesTo(url: string): void {
    const origin = originOf(url);
    if (origin === undefined || origin === this.#backend) return;
    this.#backend = origin;
    this.#tell((each) => each.goesTo(origin));
  }

  opened(key: string): void {
    const session = key.slice(0, 12);
    this.#session = session;
    this.#tell((each) => each.opened(session));
  }

  refused(reason: Reason, key: string | undefined): void {
    this.#reason = reason;
    this.#isOf(key);
    this.#tell((each) => each.refused(reason));
  }

  #isOf(key: string | undefined): string | undefined {
    this.#session = key?.slice(0, 12) ?? this.#session;
    return this.#session;
  }

  #tell(how: (observer: RequestObserver) => void): void {
    for (const each of this.#observers) tell(() => how(each));
  }
}
