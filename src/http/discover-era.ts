import type { IncomingMessage } from 'node:http';
import { DISCOVER, discoverRequest, erasOfAnswer, type SpokenEras } from '../protocol/era.ts';
import { firstEvent } from '../protocol/event-stream.ts';
import { PROTOCOL_VERSION_HEADER } from '../protocol/session-id.ts';
import { METHOD_HEADER } from '../protocol/tasks.ts';
import { askBackend, type Manner } from './ask-backend.ts';
import { askedAnew } from './open-at-backend.ts';

/** How long a backend may take to say which era it speaks: a request may wait for it (ms). */
const DEADLINE = 1000;
const LONGEST_ANSWER = 64 * 1024;

/**
 * Asks a backend which revisions it speaks, on the path and with the credentials of a request of 2026-07-28. Nothing
 * is learned from one that does not answer.
 */
export async function discoverEra(
  origin: string,
  path: string,
  req: IncomingMessage,
  manner: Manner,
): Promise<SpokenEras> {
  const version = String(req.headers[PROTOCOL_VERSION_HEADER] ?? '');
  const { body, headers } = askedAnew(req, discoverRequest(version));
  try {
    const answer = await askBackend(origin, {
      ...{ ...manner, path, method: 'POST', body, signal: AbortSignal.timeout(DEADLINE) },
      headers: {
        ...headers,
        [PROTOCOL_VERSION_HEADER]: version,
        [METHOD_HEADER]: DISCOVER,
      },
    });
    const text = await textOf(answer);
    return text === undefined ? {} : erasOfAnswer(answer.statusCode ?? 0, text);
  } catch {
    // What that means for its sessions is found out by their own requests.
    return {};
  }
}

/** The JSON of an answer, or of the first event of a stream. */
async function textOf(answer: IncomingMessage): Promise<string | undefined> {
  const stream = /^text\/event-stream/i.test(answer.headers['content-type'] ?? '');
  let text = '';
  for await (const chunk of answer) {
    text += (chunk as Buffer).toString('latin1');
    if (text.length > LONGEST_ANSWER) return undefined;
    const event = stream ? firstEvent(text) : undefined;
    if (event) return Buffer.from(event.data, 'latin1').toString();
  }
  return Buffer.from(text, 'latin1').toString();
}
