import type { IncomingMessage } from 'node:http';
import { context, createContextKey, trace, type Span } from '@opentelemetry/api';
import { isObject } from '../given.ts';
import type { RequestObserver } from '../http/request-watch.ts';
import { REFUSALS } from '../protocol/reasons.ts';
import { PROTOCOL_VERSION_HEADER } from '../protocol/session-id.ts';
import { METHOD_HEADER } from '../protocol/tasks.ts';
import {
  BACKEND,
  DECISION,
  ERROR_TYPE,
  METHOD_NAME,
  PROTOCOL_VERSION,
  REASON,
  SESSION_ID,
} from './names.ts';

// YYYY-MM-DD (MCP, Versioning). What has another form may be anything that a client has put there.
const REVISION = /^\d{4}-\d{2}-\d{2}$/;
// segment *( "/" segment ), as all methods of MCP: letters, so that it is none of the ids that a client has.
const METHOD = /^[a-z]{1,32}(?:\/[a-z_]{1,32}){0,3}$/i;

// What instrumentation of HTTP leaves for that of frameworks (`getRPCMetadata` of @opentelemetry/core).
const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA');

/** Puts what becomes of a request on its span; `undefined`: it has none, or it is not recorded. */
export function requestSpan(req: IncomingMessage): RequestObserver | undefined {
  const span = spanOfRequest();
  return span?.isRecording() ? observerFor(span, req) : undefined;
}

/** The active span may be that of a middleware, which is over before its request is. */
function spanOfRequest(): Span | undefined {
  const active = context.active();
  const metadata: unknown = active.getValue(RPC_METADATA);
  const ofHttp = isObject(metadata) && Reflect.get(metadata, 'type') === 'http';
  const span: unknown = ofHttp ? Reflect.get(metadata, 'span') : undefined;
  return isObject(span) ? (span as Span) : trace.getSpan(active);
}

function observerFor(span: Span, { headers, method }: IncomingMessage): RequestObserver {
  let named = false;

  function set(attribute: string, value: string): void {
    // One that is over warns of each attribute.
    if (span.isRecording()) span.setAttribute(attribute, value);
  }

  function setIf(attribute: string, value: string | string[] | undefined, form: RegExp): void {
    if (typeof value === 'string' && form.test(value)) set(attribute, value);
  }

  /** Not before it is known to be a request of ours (A14). */
  function nameIt(): void {
    if (named) return;
    named = true;
    setIf(PROTOCOL_VERSION, headers[PROTOCOL_VERSION_HEADER], REVISION);
    setIf(METHOD_NAME, headers[METHOD_HEADER], METHOD);
  }

  return {
    decided(kind, session) {
      nameIt();
      set(DECISION, kind);
      if (session !== undefined) set(SESSION_ID, session);
    },
    goesTo: (backend) => set(BACKEND, backend),
    opened(session) {
      set(SESSION_ID, session);
      // Nothing else is answered by the id of a new session. With a GET it is the stream of HTTP+SSE that was opened.
      if (method === 'POST') set(METHOD_NAME, 'initialize');
    },
    refused(reason) {
      nameIt();
      set(REASON, reason);
      // Below 500 it is no error of a server (semantic conventions for HTTP).
      if (REFUSALS[reason].status >= 500) set(ERROR_TYPE, reason);
    },
  };
}
