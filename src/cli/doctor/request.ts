import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';

/** One request of the doctor, on a connection of its own. */
export interface Ask {
  readonly url: URL;
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
  /** Milliseconds until the answer must be complete. */
  readonly timeout: number;
  /** Whether a certificate that nobody has signed is taken. */
  readonly insecure: boolean;
  readonly signal: AbortSignal;
}

/** What has come back. */
export interface Received {
  readonly status: number;
  /** Media type, in lower case, without parameters. */
  readonly type: string;
  readonly sessionId: string | undefined;
  /** The body, one character for each byte. */
  readonly bytes: string;
  /** Milliseconds from the beginning of the request until all of this was there. */
  readonly ms: number;
}

/** More is read of no answer (bytes). */
const LONGEST_ANSWER = 1024 * 1024;

/** The answer did not come in time; `head` tells whether its beginning did. */
export class TooLate extends Error {
  override readonly name = 'TooLate';
  readonly head: boolean;

  constructor(head: boolean) {
    super('no answer in time');
    this.head = head;
  }
}

/**
 * Sends a request; resolves when the answer has ended, or is `enough`, and closes the connection. Rejects if there is
 * no connection, no answer in time, or if it is broken off.
 */
export function send(ask: Ask, enough: (soFar: Received) => boolean): Promise<Received> {
  const { url, method, headers, insecure, timeout, signal } = ask;
  const started = performance.now();
  const options = { method, headers, agent: false, rejectUnauthorized: !insecure, signal };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, options);
    let head = false;
    const timer = setTimeout(() => request.destroy(new TooLate(head)), timeout);
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      finish();
      request.destroy();
    };
    request.on('error', (error) => settle(() => reject(error)));
    // After a 101 there is no answer, and no error.
    request.on('close', () => settle(() => reject(new Error('closed without an answer'))));
    request.on('response', (response) => {
      head = true;
      let bytes = '';
      const look = (ended: boolean): void => {
        const received = receivedOf(response, bytes, performance.now() - started);
        if (ended || enough(received)) settle(() => resolve(received));
      };
      response.setEncoding('latin1');
      response.on('data', (chunk: string) => {
        bytes += chunk;
        look(bytes.length > LONGEST_ANSWER);
      });
      response.on('end', () => look(true));
      response.on('error', (error) => settle(() => reject(error)));
      look(false);
    });
    request.end(ask.body);
  });
}

function receivedOf(response: IncomingMessage, bytes: string, ms: number): Received {
  const { statusCode = 0, headers } = response;
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  return {
    status: statusCode,
    type: type.trim().toLowerCase(),
    sessionId: headers['mcp-session-id']?.toString(),
    bytes,
    ms,
  };
}
