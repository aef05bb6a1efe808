import type { IncomingMessage } from 'node:http';
import {
  NO_FACTS,
  readMessage,
  readParsedMessage,
  type MessageFacts,
} from '../protocol/message.ts';
import { peekBody, type PeekOptions } from './peek-body.ts';

/** What the JSON-RPC body of a request says, whether somebody has parsed it before or not. */
export async function requestMessage(
  req: IncomingMessage & { body?: unknown },
  options: PeekOptions,
): Promise<MessageFacts> {
  // Not `readableDidRead`: looking without consuming sets that too.
  if (req.readableEnded) return readParsedMessage(req.body);
  const body = await peekBody(req, options);
  return body === undefined ? NO_FACTS : readMessage(body);
}
