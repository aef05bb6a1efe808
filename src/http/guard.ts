import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { sessionInQuery } from '../protocol/endpoint.ts';
import type { MessageFacts } from '../protocol/message.ts';
import { PROTOCOL_VERSION_HEADER, SESSION_HEADER } from '../protocol/session-id.ts';
import { mayCreateTask, METHOD_HEADER, NAME_HEADER, taskAskedFor } from '../protocol/tasks.ts';
import {
  decideByHead,
  decideByLookup,
  type Decision,
  type RequestFacts,
} from '../routing/decide.ts';
import { keyOfStream, keyOfTask } from '../routing/keys.ts';
import {
  NO_ROUTE,
  type NamedSession,
  type PinnedRoute,
  type Route,
  type Stop,
} from '../routing/route.ts';
import { keyOnConnection } from './connection-key.ts';
import { Exchange } from './exchange.ts';
import { removeHeader } from './remove-header.ts';
import { DECIDING_DEADLINE, echoOf, requestMessage } from './request-message.ts';
import { rememberRoutedRequest, routedRequestOf } from './routed-request.ts';
import type { Surroundings } from './surroundings.ts';

export interface GuardOptions<
  Req extends IncomingMessage,
  Res extends ServerResponse,
> extends Surroundings<Req, Res> {
  readonly skip: ((req: Req) => boolean) | undefined;
  /** Whether a request with this `Origin`, if it has any, is refused. */
  readonly isForeign?: ((origin: string | undefined) => boolean) | undefined;
}

export type Guard<Req, Res> = (req: Req, res: Res, next: (error?: unknown) => void) => void;

/** The middleware: finds out where a request belongs before anybody proxies it. */
export function createGuard<Req extends IncomingMessage, Res extends ServerResponse>(
  options: GuardOptions<Req, Res>,
): Guard<Req, Res> {
  const { routing, skip, isForeign, maxBodySize: maxBytes, sseParams, tasks } = options;

  return function guardSession(req, res, next) {
    if (skip?.(req) === true || routedRequestOf(req)) {
      next();
      return;
    }
    const exchange = new Exchange(req, res, next, options);
    if (isForeign?.(req.headers.origin) === true) {
      exchange.refuse('forbidden_origin');
      return;
    }
    const facts = factsOf(req, sseParams.length > 0, tasks);
    const decision = decideByHead(facts);
    if (decision) {
      act(decision);
      return;
    }
    const id = facts.sessionId ?? '';
    const session = { key: keyOnConnection(req.socket, id), id };
    if (!exchange.identify()) {
      act({ kind: 'refuse', reason: 'principal_failed' }, session);
      return;
    }
    whenKnown(routing.finder.find(session, exchange.caller), (lookup) =>
      act(decideByLookup(facts, lookup), session),
    );

    /** It was found out who may use the session that the header names; the query names another one to the backend. */
    function namesAnother(decided: Decision): boolean {
      if (!options.callerOf || req.method !== 'POST' || !streamOf(req, sseParams)) return false;
      if (decided.kind !== 'open') return decided.kind === 'pinned';
      return decided.modern === true || facts.sessionId !== undefined;
    }

    function act(decided: Decision, session?: NamedSession, message?: MessageFacts): void {
      if (namesAnother(decided)) {
        act({ kind: 'refuse-proxied', reason: 'invalid_session_id' });
        return;
      }
      switch (decided.kind) {
        case 'open':
          if (decided.modern) removeHeader(req, 'last-event-id');
          if (facts.sessionId !== undefined) removeHeader(req, SESSION_HEADER);
          else if (req.method === 'POST' && !decided.modern)
            exchange.named = streamOf(req, sseParams);
          if (decided.modern && tasks) exchange.named = taskOf(req);
          forward({ ...decided, backendUrl: undefined, alternatives: [] });
          return;
        case 'pinned':
          if (session) whenKnown(routing.finder.pin(session, decided.record, req), arrive);
          return;
        case 'read-body':
          whenKnown(requestMessage(req, { maxBytes, deadline: DECIDING_DEADLINE }), (read) =>
            act(read.initialize ? decided.ifInitialize : decided.otherwise, session, read),
          );
          return;
        case 'refuse-proxied':
          exchange.stopAt({ kind: 'refuse', reason: decided.reason });
          forward(NO_ROUTE);
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
      exchange.handedOn();
    }

    /** What is known at once is acted on at once: a request of a cached session meets no promise. */
    function whenKnown<T>(value: T | Promise<T>, then: (value: T) => void): void {
      if (value instanceof Promise) value.then(then).catch(next);
      else then(value);
    }
  };
}

/** The session of HTTP+SSE that a POST names, if that transport is ours at all. */
function streamOf(req: IncomingMessage, params: readonly string[]): NamedSession | undefined {
  const id = sessionInQuery(req.url ?? '', params);
  return id === undefined ? undefined : { id, key: keyOfStream(id) };
}

/** The task that a request of 2026-07-28 is about. */
function taskOf({ headers }: IncomingMessage): NamedSession | undefined {
  const id = taskAskedFor(headerOf(headers, METHOD_HEADER), headerOf(headers, NAME_HEADER));
  return id === undefined ? undefined : { id, key: keyOfTask(id), task: true };
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function factsOf(req: IncomingMessage, sse: boolean, tasks: boolean): RequestFacts {
  return {
    method: req.method,
    sessionId: headerOf(req.headers, SESSION_HEADER),
    version: headerOf(req.headers, PROTOCOL_VERSION_HEADER),
    mayCreateTask: tasks && mayCreateTask(headerOf(req.headers, METHOD_HEADER)),
    asksForStream: sse && req.headers.accept?.includes('text/event-stream') === true,
  };
}
