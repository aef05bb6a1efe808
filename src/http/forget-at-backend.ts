import http from 'node:http';
import https from 'node:https';

/** Headers that a backend may need to accept a DELETE in the client's name. */
const CARRIED = ['authorization', 'cookie', 'host', 'mcp-protocol-version'] as const;

/**
 * Deletes a backend session whose id the client will never see. Best effort: it frees the backend's memory early,
 * nothing depends on it, and the backend's own expiry is there for the rest.
 */
export function forgetAtBackend(
  backendUrl: string,
  { path, secure }: { readonly path: string; readonly secure: boolean },
  sessionId: string,
  headers: http.IncomingHttpHeaders,
): void {
  const url = new URL(backendUrl);
  const request = (url.protocol === 'https:' ? https : http).request({
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port,
    path,
    method: 'DELETE',
    agent: false,
    rejectUnauthorized: secure,
    signal: AbortSignal.timeout(2000),
    headers: {
      ...Object.fromEntries(
        CARRIED.flatMap((name) => (headers[name] ? [[name, headers[name]]] : [])),
      ),
      'mcp-session-id': sessionId,
    },
  });
  request.on('response', (response) => response.resume());
  request.on('error', () => {});
  request.end();
}
