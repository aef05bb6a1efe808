import { setMaxListeners } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import { DISCOVER, discoverRequest } from '../../protocol/era.ts';
import { firstEvent } from '../../protocol/event-stream.ts';
import { isModern } from '../../protocol/revision.ts';
import { PROTOCOL_VERSION_HEADER, SESSION_HEADER } from '../../protocol/session-id.ts';
import { METHOD_HEADER } from '../../protocol/tasks.ts';
import { answerTo, isStream } from './messages.ts';
import { send, type Received } from './request.ts';
import type { DoctorSettings } from './settings.ts';

/** The revision without sessions that is asked for. */
export const MODERN = '2026-07-28';
/** The id of that request. */
export const DISCOVERING = 'era';
export const INITIALIZE_ID = 0;
const CALL_ID = 1;
/** How long an answer that may open a session is waited for when all else is stopped (ms). */
const LAST_WORD = 2000;
/** What is offered at `initialize`; the server answers with what it speaks. */
export const OFFERED = '2025-11-25';

/** A session as a client knows it; without an id the server keeps none. */
export interface Session {
  readonly id: string | undefined;
  readonly version: string;
}

/** The id that the answer to a call has. */
export function callIdOf({ version }: Session): number | string {
  return isModern(version) ? DISCOVERING : CALL_ID;
}

/** The requests of MCP, each on a connection of its own, as clients behind a load balancer send them. */
export class Endpoint {
  readonly url: URL;
  readonly #settings: DoctorSettings;
  readonly #signal: AbortSignal;
  /** Of requests that may open a session: nobody could end it who has not heard its id. */
  readonly #opening: AbortSignal;

  constructor(url: URL, settings: DoctorSettings, signal: AbortSignal) {
    this.url = url;
    this.#settings = settings;
    this.#signal = signal;
    // Each request that is under way listens to it.
    setMaxListeners(0, signal);
    this.#opening = later(signal, LAST_WORD);
    setMaxListeners(0, this.#opening);
  }

  /** `issued` is told of the id as soon as it is there, whatever becomes of the answer. */
  initialize(issued: (id: string) => void): Promise<Received> {
    const params = {
      protocolVersion: OFFERED,
      capabilities: {},
      clientInfo: { name: 'mcp-session-routing doctor', version: '1' },
    };
    const message = { jsonrpc: '2.0', id: INITIALIZE_ID, method: 'initialize', params };
    const enough = (soFar: Received): boolean => {
      if (soFar.sessionId !== undefined) issued(soFar.sessionId);
      return isStream(soFar) && answerTo(soFar, INITIALIZE_ID) !== undefined;
    };
    const { timeout } = this.#settings;
    return this.#send('POST', posting({}), JSON.stringify(message), enough, timeout, this.#opening);
  }

  initialized(session: Session): Promise<Received> {
    return this.#post({ method: 'notifications/initialized' }, headersOf(session));
  }

  /** The least that a server can be asked for. */
  call(session: Session): Promise<Received> {
    if (isModern(session.version)) return this.discover();
    return this.#post({ id: CALL_ID, method: 'ping' }, headersOf(session));
  }

  end(session: Session): Promise<Received> {
    return this.#send('DELETE', headersOf(session), undefined, () => false);
  }

  /** The event stream of a session: its head is all that is waited for. */
  stream(session: Session, timeout: number): Promise<Received> {
    const headers = { ...headersOf(session), accept: 'text/event-stream' };
    return this.#send('GET', headers, undefined, () => true, timeout);
  }

  /** A GET without a session, until its first event: how HTTP+SSE begins (MCP 2024-11-05). */
  firstEvent(timeout: number): Promise<Received> {
    const hasEvent = (soFar: Received): boolean =>
      !isStream(soFar) || firstEvent(soFar.bytes) !== undefined;
    return this.#send('GET', { accept: 'text/event-stream' }, undefined, hasEvent, timeout);
  }

  /** Asks for the revisions that are spoken, in the words of 2026-07-28. */
  discover(): Promise<Received> {
    const headers = { [PROTOCOL_VERSION_HEADER]: MODERN, [METHOD_HEADER]: DISCOVER };
    return this.#send(
      'POST',
      posting(headers),
      discoverRequest(MODERN),
      (soFar) => isStream(soFar) && answerTo(soFar, DISCOVERING) !== undefined,
    );
  }

  #post(
    message: { readonly id?: number; readonly method: string; readonly params?: object },
    headers: OutgoingHttpHeaders,
  ): Promise<Received> {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    const { id } = message;
    // A stream may stay open after the answer.
    return this.#send('POST', posting(headers), body, (soFar) =>
      id === undefined ? true : isStream(soFar) && answerTo(soFar, id) !== undefined,
    );
  }

  #send(
    method: string,
    headers: OutgoingHttpHeaders,
    body: string | undefined,
    enough: (soFar: Received) => boolean,
    timeout = this.#settings.timeout,
    signal = this.#signal,
  ): Promise<Received> {
    return send(
      {
        url: this.url,
        method,
        headers: { ...this.#settings.headers, ...headers },
        ...(body !== undefined && { body }),
        timeout: Math.min(timeout, this.#settings.timeout),
        insecure: this.#settings.insecure,
        signal,
      },
      enough,
    );
  }
}

/** Is aborted so many milliseconds after the other. */
function later(signal: AbortSignal, ms: number): AbortSignal {
  const late = new AbortController();
  const begin = (): void => void setTimeout(() => late.abort(signal.reason), ms).unref();
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return late.signal;
}

function headersOf({ id, version }: Session): OutgoingHttpHeaders {
  return {
    [PROTOCOL_VERSION_HEADER]: version,
    ...(id !== undefined && { [SESSION_HEADER]: id }),
  };
}

function posting(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
  };
}
