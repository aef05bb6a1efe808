import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestWatch, type DecidedRequest, type RequestObserver } from './http/request-watch.ts';
import type { Reason } from './protocol/reasons.ts';
import type { EndReason } from './store/end-reason.ts';
import type { StoreFailure, StoreVerb } from './store/store-verb.ts';
import { tell, warn } from './store/user-code.ts';

/**
 * Who is told what happens to one middleware: what counts, the logger, the listeners of `on`, telemetry. Sessions are
 * named by the first 12 hex digits of their key, never by their id.
 */
export interface Observer {
  readonly opened?: (session: string, backend: string | undefined) => void;
  readonly recovered?: (session: string, backend: string) => void;
  readonly ended?: (session: string, reason: EndReason) => void;
  readonly refused?: (reason: Reason, session: string | undefined) => void;
  /** The store has answered, or failed. */
  readonly stored?: (verb: StoreVerb, seconds: number, failure: StoreFailure | undefined) => void;
  readonly storeFailed?: (error: unknown, during: string) => void;
  readonly unreadAnswer?: () => void;
  readonly backendDown?: (backend: string) => void;
  readonly backendUp?: (backend: string) => void;
  readonly discoveryFailed?: (error: unknown) => void;
  /** A request has come: who wants to know what becomes of it returns whom to tell. */
  readonly requested?: (req: IncomingMessage) => RequestObserver | undefined;
  /** A request was routed or refused, and its answer is over. Costs a listener for each request. */
  readonly decided?: (request: DecidedRequest) => void;
  /** The middleware is closed; requests may come for a while yet. */
  readonly closed?: () => void;
}

/** All who observe one middleware. What one of them throws is a process warning, and changes nothing else. */
export class Observers {
  readonly #all: Observer[] = [];
  #requested: Observer[] = [];
  #decided: Observer[] = [];

  add(observer: Observer): void {
    this.#all.push(observer);
    this.#requested = this.#all.filter(({ requested }) => requested);
    this.#decided = this.#all.filter(({ decided }) => decided);
  }

  opened(key: string, backend: string | undefined): void {
    this.#tell((each) => each.opened?.(short(key), backend));
  }

  recovered(key: string, backend: string): void {
    this.#tell((each) => each.recovered?.(short(key), backend));
  }

  ended(key: string, reason: EndReason): void {
    this.#tell((each) => each.ended?.(short(key), reason));
  }

  refused(reason: Reason, key: string | undefined): void {
    this.#tell((each) => each.refused?.(reason, key === undefined ? undefined : short(key)));
  }

  /** Of a memory store this is on the way of each request. */
  stored(verb: StoreVerb, duration: number, failure: StoreFailure | undefined): void {
    for (const each of this.#all) {
      try {
        each.stored?.(verb, duration / 1000, failure);
      } catch (error) {
        warn(error);
      }
    }
  }

  storeFailed(error: unknown, during: string): void {
    this.#tell((each) => each.storeFailed?.(error, during));
  }

  unreadAnswer(): void {
    this.#tell((each) => each.unreadAnswer?.());
  }

  backendDown(backend: string): void {
    this.#tell((each) => each.backendDown?.(backend));
  }

  backendUp(backend: string): void {
    this.#tell((each) => each.backendUp?.(backend));
  }

  discoveryFailed(error: unknown): void {
    this.#tell((each) => each.discoveryFailed?.(error));
  }

  closed(): void {
    this.#tell((each) => each.closed?.());
  }

  /** To be told what becomes of a request; `undefined`: nobody wants to know, and it costs nothing. */
  watch(req: IncomingMessage, res: ServerResponse): RequestWatch | undefined {
    if (this.#requested.length + this.#decided.length === 0) return undefined;
    const observers: RequestObserver[] = [];
    for (const each of this.#requested) {
      tell(() => {
        const observer = each.requested?.(req);
        if (observer) observers.push(observer);
      });
    }
    const onDecided =
      this.#decided.length > 0
        ? (request: DecidedRequest): void => this.#tell((each) => each.decided?.(request))
        : undefined;
    if (observers.length === 0 && !onDecided) return undefined;
    return new RequestWatch(req, res, { observers, onDecided });
  }

  #tell(how: (observer: Observer) => unknown): void {
    for (const each of this.#all) tell(() => how(each));
  }
}

function short(key: string): string {
  return key.slice(0, 12);
}
