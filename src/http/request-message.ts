import type { IncomingMessage } from 'node:http';
import {
  NO_FACTS,
  readMessage,
  readParsedMessage,
  type MessageFacts,
} from '../protocol/message.ts';
import { peekBody, type PeekOptions } from './peek-body.ts';

type ReadRequest = IncomingMessage & { readonly body?: unknown; readonly rawBody?: unknown };

/** What the JSON-RPC body of a request says, whether somebody has read it before or not. */
export async function requestMessage(
  req: ReadRequest,
  options: PeekOptions,
): Promise<MessageFacts> {
  // Not `readableDidRead`: looking without consuming sets that too.
  if (req.readableEnded) return messageThatWasRead(req, options.maxBytes);
  const body = await peekBody(req, options);
  return body === undefined ? NO_FACTS : readMessage(body);
}

/** The bytes tell more than what was made of them, if a parser has kept them. */
function messageThatWasRead({ body, rawBody }: ReadRequest, maxBytes: number): MessageFacts {
  const read = Buffer.isBuffer(rawBody) ? rawBody : body;
  const readable = typeof read === 'string' || Buffer.isBuffer(read);
  const facts =
    readable && Buffer.byteLength(read) <= maxBytes ? readMessage(read.toString()) : NO_FACTS;
  return facts === NO_FACTS ? readParsedMessage(body) : facts;
}
