import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { BackendsControl } from './backends/control.ts';
import type { Stats } from './stats.ts';
import type { StatusPageOptions } from './status/options.ts';

/** Where a request goes, as `routeOf` tells it. */
export interface RouteInfo {
  /** `open`: it belongs to no session. */
  readonly kind: 'open' | 'pinned';
  /** Origin of the backend; `undefined` until a proxy has asked, or if the proxy's own target is used. */
  readonly backendUrl: string | undefined;
  /** First 12 hex digits of the SHA-256 of the session id. */
  readonly session: string | undefined;
}

/** The middleware, and what belongs to it. */
export interface McpSessionRouting extends RequestHandler {
  /** The backends of the option `backends`: what is known of them, and draining. */
  readonly backends: BackendsControl;
  /** Where the request goes; `undefined` if the middleware has not seen it, or has answered it. */
  routeOf(req: IncomingMessage): RouteInfo | undefined;
  /**
   * With `self` and `secret`: whether another replica has forwarded the request, so that what stands before the
   * middleware, a rate limit for instance, has seen it there. It says nothing of who sends it, nor of the body.
   */
  isForwarded(req: IncomingMessage): boolean;
  /**
   * Ends a session, on all gateways of the store; its streams are closed. `false` if there was no live one.
   * @throws {SessionRoutingError} `store_unavailable`
   */
  end(sessionId: string): Promise<boolean>;
  stats(): Stats;
  /**
   * A page to look at: backends, sessions, calls per second, errors, the last requests, and buttons that drain. Mount
   * it before the middleware.
   * @throws {SessionRoutingError} `invalid_option`
   * @example app.use('/_mcp', sessions.statusPage({ auth }));
   */
  statusPage(options: StatusPageOptions<Request, Response>): RequestHandler;
  /**
   * Resolves when the store has answered once and the backends are known: before that a gateway need not take
   * requests.
   * @throws {SessionRoutingError} `store_unavailable` if the store has not answered within `storeTimeout`,
   *   `no_backend` if the list of backends could not be had; the gateway heals when it can
   */
  ready(): Promise<void>;
  /**
   * Ends timers, streams and sockets. The store's own client is its owner's to close.
   *
   * With `drain` it first stops opening sessions and streams (503), ends the event streams that clients hold open,
   * so that they resume on another gateway, and lets requests finish for so many milliseconds. Stop listening
   * before you call it; with `self` afterwards, since the other replicas forward what belongs to these requests.
   */
  close(options?: CloseOptions): Promise<void>;
}

export interface CloseOptions {
  /** Milliseconds that requests may take to finish. @default 0 */
  readonly drain?: number;
}
