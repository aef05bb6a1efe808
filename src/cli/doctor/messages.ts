import { firstEvent } from '../../protocol/event-stream.ts';
import type { Received } from './request.ts';

const EVENT_STREAM = 'text/event-stream';

export function isStream({ type }: Pick<Received, 'type'>): boolean {
  return type === EVENT_STREAM;
}

/** What is read of a JSON-RPC message. */
export interface Message {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown };
}

/** The JSON-RPC messages of an answer: in its body, or in the events of a stream that are complete. */
export function messagesIn(received: Pick<Received, 'type' | 'bytes'>): Message[] {
  if (!isStream(received)) return parse(received.bytes);
  const messages: Message[] = [];
  let rest = received.bytes;
  for (let event = firstEvent(rest); event; event = firstEvent(rest)) {
    messages.push(...parse(event.data));
    rest = rest.slice(event.end);
  }
  return messages;
}

/** The answer to the request with that id; errors may leave it out, and come as the only message. */
export function answerTo(
  received: Pick<Received, 'type' | 'bytes'>,
  id: number | string,
): Message | undefined {
  return messagesIn(received).find(
    (message) => message.id === id && ('result' in message || 'error' in message),
  );
}

/** Of a body that cannot be read: none. A batch counts as its members. */
function parse(bytes: string): Message[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes, 'latin1').toString());
    const isObject = (value: unknown): value is Message =>
      typeof value === 'object' && value !== null;
    return [parsed].flat().filter(isObject);
  } catch {
    return [];
  }
}
