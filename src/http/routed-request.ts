import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reason } from '../protocol/reasons.ts';
import type { ConnectFailure } from '../routing/losses.ts';
import type { Destination, Route, Stop } from '../routing/route.ts';
import type { RequestLine } from './forget-at-backend.ts';

/** Headers by their names in lower case. */
export type ParsedHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What a proxy may ask of a request that the middleware has seen. */
export interface RoutedRequest {
  readonly route: Route;
  /** It was refused, and the app's `handler` was asked to answer. */
  readonly refusal: Reason | undefined;
  /** Whether another replica has forwarded it, and has signed that; `undefined` until that was looked at. */
  forwarded: boolean | undefined;
  /** What has to be known of the request, or kept of it, before it is sent; to be waited for. */
  prepare(): Promise<unknown> | undefined;
  /** Whether it goes nowhere, whoever would choose a place for it. */
  stops(): boolean;
  /**
   * Where the request goes; for a request without a session a backend is chosen now. `tells`: whoever asks will say
   * how it is answered (`answering`), so that the response need not be watched for it.
   */
  destination(tells?: boolean): Destination;
  /** A backend has answered with this head, of which nothing was written yet; names are in lower case. */
  answering(status: number, headers: ParsedHeaders): void;
  /** Where it goes after no connection to `origin` could be made. */
  connectFailed(origin: string, failure: ConnectFailure): Promise<Destination>;
  /**
   * A router of the app has chosen where the request goes; `undefined`: a place without a URL.
   * @throws {SessionRoutingError} `invalid_option` if that is none of `backends`
   */
  chosen(url: string | undefined): void;
  /** A proxy sends the request there. */
  sent(url: string | undefined): void;
  /** The request line is made: what would undo the request has to be sent in the same way. */
  sentAs(line: RequestLine): void;
  /** A connection to `origin` was made, or it has answered. */
  reached(origin: string): void;
  /** Answers in place of a backend; breaks the connection off if the client has got a part of an answer. */
  refuse(reason: Reason): void;
  /** Answers the DELETE of a session that is gone with its backend. */
  confirmDeleted(): void;
  /** The request has broken off after it was sent; says what the client is told. */
  brokenOff(origin: string): Promise<Stop>;
  /** The request was forwarded here by mistake; says what the client is told. */
  astray(): Promise<Stop>;
  /** The connections of its proxy, to be closed with the middleware. */
  onClose(connections: Connections): void;
}

/** The connections of a proxy to the backends. */
export interface Connections {
  /** Closes those to one backend, as soon as no request is on its way on them. */
  leave(origin: string): void;
  destroy(): void;
}

/** On the request itself: an entry of a WeakMap costs more than all else that is done for a request of a session. */
const ROUTED: unique symbol = Symbol('mcp-session-routing');

/** The request as the middleware has left it, for whoever proxies it; no reference to the middleware is needed. */
export function routedRequestOf(
  req: IncomingMessage & { [ROUTED]?: RoutedRequest },
): RoutedRequest | undefined {
  return req[ROUTED];
}

export function rememberRoutedRequest(
  req: IncomingMessage & { [ROUTED]?: RoutedRequest },
  routed: RoutedRequest,
): void {
  req[ROUTED] = routed;
}

/** A response that nobody can write to any more. */
export function isOver(res: ServerResponse): boolean {
  return res.destroyed || res.writableEnded;
}
