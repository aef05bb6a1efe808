import type { IncomingMessage, ServerResponse } from 'node:http';
import { NO_FACTS, type MessageFacts } from '../protocol/message.ts';
import { PROTOCOL_VERSION_HEADER, SESSION_HEADER } from '../protocol/session-id.ts';
import {
  decideByHead,
  decideByLookup,
  type Decision,
  type RequestFacts,
} from '../routing/decide.ts';
import type { NamedSession, PinnedRoute, Route, Stop } from '../routing/route.ts';
import { keyOf } from '../routing/session-routing.ts';
import { Exchange } from './exchange.ts';
import { DECIDING_DEADLINE, requestMessage } from './request-message.ts';
import { rememberRoutedRequest, routedRequestOf } from './routed-request.ts';
import type { Surroundings } from './surroundings.ts';

export interface GuardOptions<
  Req extends IncomingMessage,
  Res extends ServerResponse,
> extends Surroundings<Req, Res> {
  readonly skip: ((req: Req) => boolean) | undefined;
}

export type Guard<Req, Res> = (req: Req, res: Res, next: (error?: unknown) => void) => void;

/** How long it may take where only an error repeats its id (ms). */
const ECHO_DEADLINE = 250;

/** The middleware: finds out where a request belongs before anybody proxies it. */
export function createGuard<Req extends IncomingMessage, Res extends ServerResponse>(
  options: GuardOptions<Req, Res>,
): Guard<Req, Res> {
  const { routing, skip, maxBodySize: maxBytes } = options;

  return function guardSession(req, res, next) {
    if (skip?.(req) === true || routedRequestOf(req)) {
      next();
      return;
    }
    const exchange = new Exchange(req, res, next, options);
    const facts = factsOf(req);
    const decision = decideByHead(facts);
    if (decision) {
      act(decision);
      return;
    }
    const id = facts.sessionId ?? '';
    const key = keyOf(id);
    whenKnown(routing.directory.lookup(key), (lookup) =>
      act(decideByLookup(facts, lookup), { key, id }),
    );

    function act(decided: Decision, session?: NamedSession, message?: MessageFacts): void {
      switch (decided.kind) {
        case 'open':
          if (facts.sessionId !== undefined) removeHeader(req, SESSION_HEADER);
          forward({ ...decided, backendUrl: undefined, alternatives: [] });
          return;
        case 'pinned':
          if (session) whenKnown(routing.pin(session, decided.record, req), arrive);
          return;
        case 'read-body':
          whenKnown(requestMessage(req, { maxBytes, deadline: DECIDING_DEADLINE }), (read) =>
            act(read.initialize ? decided.ifInitialize : decided.otherwise, session, read),
          );
          return;
        case 'refuse':
          whenKnown(message ?? echoOf(req, maxBytes), ({ rawId }) =>
            exchange.refuse(decided.reason, rawId, session?.key),
          );
      }
    }

    function arrive(at: PinnedRoute | Stop): void {
      if (at.kind === 'pinned') forward(at);
      else if (at.kind === 'deleted') exchange.confirmDeleted();
      else {
        whenKnown(echoOf(req, maxBytes), ({ rawId }) => exchange.refuse(at.reason, rawId));
      }
    }

    function forward(route: Route): void {
      exchange.take(route);
      rememberRoutedRequest(req, exchange);
      next();
    }

    /** What is known at once is acted on at once: a request of a cached session meets no promise. */
    function whenKnown<T>(value: T | Promise<T>, then: (value: T) => void): void {
      if (value instanceof Promise) value.then(then).catch(next);
      else then(value);
    }
  };
}

function factsOf(req: IncomingMessage): RequestFacts {
  const { [SESSION_HEADER]: sessionId, [PROTOCOL_VERSION_HEADER]: version } = req.headers;
  return {
    method: req.method,
    sessionId: Array.isArray(sessionId) ? sessionId.join(', ') : sessionId,
    versioned: version !== undefined,
  };
}

/** The id that an error repeats, if the body is there soon. */
function echoOf(req: IncomingMessage, maxBytes: number): MessageFacts | Promise<MessageFacts> {
  return req.method === 'POST'
    ? requestMessage(req, { maxBytes, deadline: ECHO_DEADLINE })
    : NO_FACTS;
}

function removeHeader(req: IncomingMessage, name: string): void {
  delete req.headers[name];
  const { rawHeaders } = req;
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    if (rawHeaders[at]?.toLowerCase() === name) rawHeaders.splice(at, 2);
  }
}
