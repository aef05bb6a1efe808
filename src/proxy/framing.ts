import type { IncomingMessage } from 'node:http';

// reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ) ; RFC 9112, 4
export const NO_REASON_PHRASE: RegExp = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * http-proxy (under http-proxy-middleware 3) takes a DELETE or OPTIONS without `Content-Length` for one without a
 * body and says so to the backend, but sends the body of a chunked one all the same: the backend would read it as
 * the next request. The framing is put back.
 */
export function keepChunkedDelete(req: IncomingMessage): void {
  const { headers, rawHeaders } = req;
  if (headers['content-length'] !== '0' || 'transfer-encoding' in headers) return;
  const chunked = rawHeaders.some(
    (name, at) => at % 2 === 0 && name.toLowerCase() === 'transfer-encoding',
  );
  if (!chunked) return;
  delete headers['content-length'];
  headers['transfer-encoding'] = 'chunked';
}

/**
 * Both proxies send `Transfer-Encoding` as it came, both ways ("CHUNKED", "identity, chunked", "xchunked", or nothing),
 * which others may read in other ways than node:http. It is of one hop (RFC 9112, 6.1), and what is sent is chunked, by
 * node:http.
 */
export function nameCoding({ headers }: IncomingMessage): void {
  if ('transfer-encoding' in headers) headers['transfer-encoding'] = 'chunked';
}

/** Path and query for a target that is an origin, in origin form; `undefined` for a target with a path of its own. */
export function outgoingPath(req: IncomingMessage, target: unknown): string | undefined {
  const own: unknown =
    typeof target === 'object' && target !== null ? Reflect.get(target, 'pathname') : '/';
  if (own !== '/' && own !== '' && own !== null && own !== undefined) return undefined;
  return originForm(req.url ?? '/');
}

/** Path and query of a request target in origin form; `undefined` if it has none. */
export function originForm(url: string): string | undefined {
  // A `pathRewrite` that decodes may have made line breaks, which http-proxy would have escaped.
  if (/[^\x21-\xff]/.test(url)) return undefined;
  if (url.startsWith('/')) return url;
  // absolute-form = absolute-URI ; RFC 9112, 3.2.2: what is in front of the path names this gateway
  const [whole, path = '/'] = /^https?:\/\/[^/?#]*([/?][^#]*)?$/i.exec(url) ?? [];
  if (whole === undefined) return undefined;
  return path.startsWith('/') ? path : `/${path}`;
}
