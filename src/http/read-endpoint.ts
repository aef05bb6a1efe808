import { ENDPOINT_EVENT, endpointForClient, sessionInQuery } from '../protocol/endpoint.ts';
import { firstEvent, withData } from '../protocol/event-stream.ts';
import type { InspectionOptions } from './inspection.ts';

/** A stream is held until its first event is there, which servers of HTTP+SSE send at once. */
export const FIRST_EVENT: InspectionOptions = {
  maxBytes: 16 * 1024,
  deadline: 10_000,
  isEnough: (body) => firstEvent(body.toString('latin1')) !== undefined,
};

/** What the `endpoint` event says, with which a stream of HTTP+SSE begins. */
export interface Endpoint {
  /** Of the session; may be none that is valid. */
  readonly id: string;
  /** Path of its messages, as the client asks for it. */
  readonly path: string;
  /** Puts the URL for the client into what was read of the stream, and into all that has come since. */
  readonly rewrite: (stream: Buffer) => Buffer;
}

/** `undefined`: the stream begins with another event, or with an endpoint that names no session. */
export function readEndpoint(
  bytes: Buffer,
  { asked, sent = asked }: { readonly asked: string; readonly sent: string | undefined },
  params: readonly string[],
): Endpoint | undefined {
  const event = firstEvent(bytes.toString('latin1'));
  // An URL has no line break: what has more than one line of data could not be rewritten in one.
  if (event?.name !== ENDPOINT_EVENT || event.data.includes('\n')) return undefined;
  const data = Buffer.from(event.data, 'latin1').toString();
  const told = endpointForClient(data, { asked, sent: sent.replace(/\?.*$/s, '') });
  const id = told === undefined ? undefined : sessionInQuery(told, params);
  if (told === undefined || id === undefined) return undefined;
  return {
    id,
    path: told.replace(/\?.*$/s, ''),
    rewrite: (stream) => Buffer.from(withData(stream.toString('latin1'), event, told), 'latin1'),
  };
}
