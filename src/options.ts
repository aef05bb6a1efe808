import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Balance } from './backends/balance.ts';
import type { BackendSource } from './backends/discovery.ts';
import type { RefusalHandler } from './http/exchange.ts';
import type { AllowedOrigins } from './http/origins.ts';
import type { Reason } from './protocol/reasons.ts';
import type { LostSession } from './routing/endings.ts';
import type { LostSessionInfo } from './routing/recovery.ts';
import type { EndReason } from './store/end-reason.ts';
import type { CacheOptions } from './store/local-cache.ts';
import type { Telemetry } from './telemetry.ts';

/** `console` is one. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** What `on` may listen to. A session is named by the first 12 hex digits of the SHA-256 of its id. */
export interface SessionEvents {
  /** A session was stored. `backend` is its origin, if it is known. */
  readonly opened?: (event: {
    readonly session: string;
    readonly backend: string | undefined;
  }) => void;
  /** A lost session was opened anew, by this gateway; `backend` is the origin of the new one. */
  readonly recovered?: (event: { readonly session: string; readonly backend: string }) => void;
  /** A session was ended, here or by another gateway that told this one (`elsewhere`). */
  readonly ended?: (event: { readonly session: string; readonly reason: EndReason }) => void;
  /** A request was answered by this package in place of a backend. */
  readonly refused?: (event: {
    readonly reason: Reason;
    readonly session: string | undefined;
  }) => void;
  /** The store failed, did not answer in time, or returned a record that cannot be read. */
  readonly storeFailed?: (event: { readonly error: unknown; readonly during: string }) => void;
  /** No connection to the backend could be made: it gets no new sessions. */
  readonly backendDown?: (event: { readonly backend: string }) => void;
  /** A connection to the backend, or its probe, has succeeded: it gets new sessions again. */
  readonly backendUp?: (event: { readonly backend: string }) => void;
  /** The list of backends could not be had, or was none: those that were known stay. */
  readonly discoveryFailed?: (event: { readonly error: unknown }) => void;
}

/** Options of `mcpSessionRouting`. All durations are milliseconds. */
export interface McpSessionRoutingOptions<
  Req extends IncomingMessage = IncomingMessage,
  Res extends ServerResponse = ServerResponse,
> {
  /**
   * The backends: an origin or entry, a list of them, a function that returns a list (asked once a second), or a
   * discovery such as `dnsBackends`. Left out: the `target` or `router` of the proxy decides.
   * @example async () => JSON.parse(await readFile('backends.json', 'utf8'))
   */
  readonly backends?: BackendSource;
  /**
   * This process serves MCP itself, and this is the origin at which the other replicas reach it, or a function that
   * returns it (asked with the first request, and until it has). Sessions that were opened here are served here, by what comes
   * after the middleware; requests of others are forwarded to the replica that has opened them. With a store that is
   * shared it needs `backends`, the replicas, or `secret`.
   * @default none: this is a gateway, and a proxy comes next
   * @example () => `http://${process.env.POD_IP}:3000`
   */
  readonly self?: string | URL | (() => string | URL);
  /** Which backend takes a request without a session. @default 'round-robin' */
  readonly balance?: Balance;
  /**
   * Path that is asked with GET while a backend is down: 2xx says that it is up again. Left out: that a connection
   * can be made.
   */
  readonly health?: string;
  /** Idle lifetime of a session, sliding. @default 7_200_000 (2 h) */
  readonly ttl?: number;
  /** How long an ended or expired session is still told from a never issued one. @default 86_400_000 (24 h) */
  readonly endedTtl?: number;
  /**
   * Status for an id that was never issued. Clients start again only on 404, which is what the specification asks
   * of servers; 400 says that the client is at fault. @default 400
   */
  readonly unknownSessionStatus?: 400 | 404;
  /** Cache in front of a store that costs a round trip; `false`: none. @default { max: 10_000, maxAge: 30_000, maxStale: 600_000 } */
  readonly cache?: CacheOptions | false;
  /** Longest a store may take; past it the request gets 503. @default 1000 */
  readonly storeTimeout?: number;
  /** Most bytes of a request body that are held in memory. @default 1_048_576 (1 MiB) */
  readonly maxBodySize?: number;
  /**
   * Whether this answer of a backend, status 400 or above, means that it has forgotten the session.
   * @default the two answers of the SDK's examples: 400 "No valid session ID provided", 400 "Server not initialized"
   * @example (status, body) => status === 410
   */
  readonly lostSession?: LostSession;
  /** How long a backend may be out of reach before its sessions are given up. @default 10_000 */
  readonly lostAfter?: number;
  /**
   * Whether a session whose backend is lost is opened anew on another one, under the id that its client knows; what
   * the old backend had in memory is gone. Needs a store with `replace`. @default false
   * @example (session, req) => req.headers['x-tenant'] === 'stateless-tools'
   */
  readonly recover?: boolean | ((session: LostSessionInfo, req: Req) => boolean);
  /**
   * Also routes the HTTP+SSE transport of MCP 2024-11-05: GET streams that begin with an `endpoint` event, and the
   * POSTs to it. `params` are the parameters of its URL that may hold the session.
   * @default false; with `true` the parameters are `sessionId` and `session_id`
   */
  readonly sse?: boolean | { readonly params: readonly string[] };
  /**
   * What else is pinned to the backend that holds it. `tasks` of 2026-07-28 (SEP-2663): `tasks/get`, `tasks/update` and
   * `tasks/cancel` go to the backend that has created the task. @default none
   */
  readonly affinity?: { readonly tasks?: boolean };
  /**
   * How long what was learned of the era of a backend is believed, where `era` of its entry does not say it.
   * @default 5000
   */
  readonly eraTtl?: number;
  /**
   * Who sends a request, as the app has authenticated it before: a session is for its principal only, and to anybody
   * else as if it had never been. Give what stays when a token is renewed, such as issuer and subject; `undefined`
   * for nobody in particular.
   * @default sessions are for whoever knows their id
   * @example (req) => req.auth?.extra?.sub
   */
  readonly principal?: (req: Req) => string | undefined;
  /**
   * Origins of web pages that may send requests: any other `Origin`, `null` too, gets 403. A request without one
   * passes.
   * @default all
   * @example ['https://app.example.com']
   */
  readonly allowedOrigins?: AllowedOrigins;
  /**
   * Signs what is stored, so that nobody who can only write to the store can make up a session, or move one. A list
   * begins with the one that signs; the others are those before it, whose records stay valid. At least 32 characters.
   * @default records are not signed
   */
  readonly secret?: string | readonly string[];
  /** `true`: the request is none of this middleware's business. @default none is skipped */
  readonly skip?: (req: Req) => boolean;
  /** Answers refusals in place of the package; not where a backend's answer is already on its way. */
  readonly handler?: RefusalHandler<Req, Res>;
  /** @default silent */
  readonly logger?: Logger;
  readonly on?: SessionEvents;
  /**
   * Whom else to tell what happens.
   * @default nobody; `stats()` counts all the same
   * @example openTelemetry() of `mcp-session-routing/opentelemetry`
   */
  readonly telemetry?: Telemetry;
  /** Answers say how their requests were routed: `X-MCP-Route`. @default false */
  readonly debug?: boolean;
}
