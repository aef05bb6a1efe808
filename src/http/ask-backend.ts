import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { ConnectionOptions } from 'node:tls';

/** How long a backend may take to accept a connection (ms). */
const CONNECT_TIMEOUT = 2000;

/** How a proxy speaks to the backends; requests of this package's own are to look the same. */
export interface Manner {
  /** Whether a certificate that nobody has signed is refused. */
  readonly secure: boolean;
  /** Whether the backend's own name is the `Host`, in place of the client's. */
  readonly changeOrigin: boolean;
  /** What else is said of TLS. */
  readonly tls?: ConnectionOptions | undefined;
}

/** A request of this package's own to a backend. */
export interface Ask extends Manner {
  /** Path and query. */
  readonly path: string;
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: Buffer | string | undefined;
  readonly signal?: AbortSignal;
}

/** No connection was made: no byte was sent. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected';
}

/** The head of the answer. @throws {NotConnected} if there was no connection; another error if it has broken off */
export function askBackend(backendUrl: string, ask: Ask): Promise<IncomingMessage> {
  const url = new URL(backendUrl);
  const secure = url.protocol === 'https:';
  const request = (secure ? https : http).request({
    ...ask.tls,
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port,
    path: ask.path,
    method: ask.method,
    headers: ask.changeOrigin ? { ...ask.headers, host: url.host } : ask.headers,
    agent: false,
    rejectUnauthorized: ask.secure,
    ...(ask.signal && { signal: ask.signal }),
  });
  return new Promise((resolve, reject) => {
    let connected = false;
    const timer = setTimeout(() => request.destroy(new Error('no connection')), CONNECT_TIMEOUT);
    request.once('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        connected = true;
        clearTimeout(timer);
      });
    });
    request.once('response', resolve);
    request.on('error', (cause) => {
      clearTimeout(timer);
      reject(connected ? cause : new NotConnected('no connection to the backend', { cause }));
    });
    // After a 101 there is no answer, and no error.
    request.once('close', () => reject(new Error('closed without an answer')));
    request.end(ask.body);
  });
}
