import type { IncomingMessage } from 'node:http';
import {
  NO_FACTS,
  readMessage,
  readParsedMessage,
  type MessageFacts,
} from '../protocol/message.ts';
import { peekBody, type PeekOptions } from './peek-body.ts';

type ReadRequest = IncomingMessage & { readonly body?: unknown; readonly rawBody?: unknown };

/** How long it may take where only an error repeats its id (ms). */
const ECHO_DEADLINE = 250;

/** How long a body may take where it decides: a client that starts again sends a short one (ms). */
export const DECIDING_DEADLINE = 2000;

/** The bytes of a request's body, which stay where they are; `undefined` if it is too long, too slow, or no JSON. */
export async function keptBody(req: ReadRequest, maxBytes: number): Promise<Buffer | undefined> {
  if (!req.readableEnded) return peekBody(req, { maxBytes, deadline: DECIDING_DEADLINE });
  if (Buffer.isBuffer(req.rawBody)) return req.rawBody;
  if (Buffer.isBuffer(req.body)) return req.body;
  const { body } = req;
  if (typeof body === 'string') return Buffer.from(body);
  return typeof body === 'object' && body !== null ? Buffer.from(JSON.stringify(body)) : undefined;
}

/** What the JSON-RPC body of a request says, whether somebody has read it before or not. */
export async function requestMessage(
  req: ReadRequest,
  options: PeekOptions,
): Promise<MessageFacts> {
  // Not `readableDidRead`: looking without consuming sets that too.
  if (req.readableEnded) return messageThatWasRead(req, options.maxBytes);
  const body = await peekBody(req, options);
  return body === undefined ? NO_FACTS : readMessage(body.toString());
}

/** The bytes tell more than what was made of them, if a parser has kept them. */
function messageThatWasRead({ body, rawBody }: ReadRequest, maxBytes: number): MessageFacts {
  const read = Buffer.isBuffer(rawBody) ? rawBody : body;
  const readable = typeof read === 'string' || Buffer.isBuffer(read);
  const facts =
    readable && Buffer.byteLength(read) <= maxBytes ? readMessage(read.toString()) : NO_FACTS;
  return facts === NO_FACTS ? readParsedMessage(body) : facts;
}

/** The id that an error repeats, if the body is there soon. */
export function echoOf(
  req: IncomingMessage,
  maxBytes: number,
): MessageFacts | Promise<MessageFacts> {
  return req.method === 'POST'
    ? requestMessage(req, { maxBytes, deadline: ECHO_DEADLINE })
    : NO_FACTS;
}
