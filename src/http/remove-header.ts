import type { IncomingMessage } from 'node:http';

/** Takes a header (lower case) off a request, for all who look at it from now on. */
export function removeHeader(req: IncomingMessage, name: string): void {
  delete req.headers[name];
  const { rawHeaders } = req;
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    if (rawHeaders[at]?.toLowerCase() === name) rawHeaders.splice(at, 2);
  }
}
