import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Traffic } from '../backends/traffic.ts';
import type { Reason } from '../protocol/reasons.ts';
import type { Caller } from '../routing/caller.ts';
import type { DecisionKind } from '../routing/kind.ts';
import type { SessionRouting } from '../routing/session-routing.ts';
import type { Manner } from './ask-backend.ts';
import type { LiveStreams } from './live-streams.ts';
import type { RefusalHandler } from './refusal-handler.ts';
import type { RequestWatch } from './request-watch.ts';
import type { Connections } from './routed-request.ts';

/** What all exchanges of one middleware share. */
export interface Surroundings<
  Req extends IncomingMessage = IncomingMessage,
  Res extends ServerResponse = ServerResponse,
> {
  readonly routing: SessionRouting;
  readonly streams: LiveStreams;
  readonly traffic: Traffic;
  readonly connections: Set<Connections>;
  /** Who sends a request: `undefined`, it could not be told. Left out: callers are not told apart. */
  readonly callerOf?: ((req: Req) => Caller | undefined) | undefined;
  readonly handler: RefusalHandler<Req, Res> | undefined;
  readonly unknownSessionStatus: number;
  /** Most bytes of a body that are held. */
  readonly maxBodySize: number;
  /** What comes next is no proxy but serves MCP itself, and may be asked anything else too. */
  readonly servesItself: boolean;
  /** Lost sessions are recovered: what it takes is kept of each request. */
  readonly recovers: boolean;
  /** Parameters that name a session of HTTP+SSE; none: that transport is none of ours. */
  readonly sseParams: readonly string[];
  /** Whether tasks of 2026-07-28 are pinned to their owner. */
  readonly tasks: boolean;
  /** Told of each answer that may have created a task and was too long to be read. */
  readonly onUnreadAnswer: () => void;
  /** How the proxy was last seen to speak to the backends. */
  readonly proxy: { manner: Manner };
  readonly onRefused: (reason: Reason, key: string | undefined) => void;
  /** Whether answers say how their requests were decided. */
  readonly debug: boolean;
  /** How requests were decided is counted here. */
  readonly decisions: Record<DecisionKind, number>;
  /** To be told of a request that has come; `undefined`: nobody wants to know. */
  readonly watch: (req: Req, res: Res) => RequestWatch | undefined;
}
