import { rawMember } from './raw-member.ts';

/** What the guard needs to know of a JSON-RPC body. */
export interface MessageFacts {
  /** It is `initialize`, or a batch with `initialize` among its members (batches: 2025-03-26 only). */
  readonly initialize: boolean;
  /** The bytes of the `id` of a single request, as they stand in the body; absent for anything else. */
  readonly rawId?: string;
}

/** Of a body that is none, or cannot be read. */
export const NO_FACTS: MessageFacts = Object.freeze({ initialize: false });

/** Reads a request body. A body that is no JSON, or no JSON-RPC request, has no facts. */
export function readMessage(body: string): MessageFacts {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return NO_FACTS;
  }
  const facts = factsOf(parsed);
  if (!isSingleRequest(parsed)) return facts;
  // JSON.parse has lost the digits of a large id: the answer repeats the bytes.
  const rawId = rawMember(body, 'id');
  return rawId === undefined ? facts : { ...facts, rawId };
}

/** The same for a body that somebody, `express.json()` for instance, has parsed before. */
export function readParsedMessage(parsed: unknown): MessageFacts {
  const facts = factsOf(parsed);
  if (!isSingleRequest(parsed)) return facts;
  const { id } = parsed;
  // Beyond 2^53 the digits are lost already; a wrong id would be worse than none.
  if (typeof id === 'number' && !Number.isSafeInteger(id)) return facts;
  return { ...facts, rawId: JSON.stringify(id) };
}

function factsOf(parsed: unknown): MessageFacts {
  const initialize = Array.isArray(parsed) ? parsed.some(isInitialize) : isInitialize(parsed);
  return initialize ? { initialize } : NO_FACTS;
}

function isInitialize(message: unknown): boolean {
  return (
    isObject(message) && Object.hasOwn(message, 'method') && message['method'] === 'initialize'
  );
}

function isSingleRequest(
  message: unknown,
): message is { readonly method: string; readonly id: string | number } {
  if (!isObject(message) || typeof message['method'] !== 'string') return false;
  return typeof message['id'] === 'string' || typeof message['id'] === 'number';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
