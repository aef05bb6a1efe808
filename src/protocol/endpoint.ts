/** Name of the event with which a server of HTTP+SSE says where to POST (MCP 2024-11-05, Transports, HTTP with SSE). */
export const ENDPOINT_EVENT = 'endpoint';

/** Parameters of that URL that hold the session: of the TypeScript SDK, and of the Python SDK. */
export const ENDPOINT_PARAMS: readonly string[] = ['sessionId', 'session_id'];

/** How the path that a client has asked for became the one that the backend was asked for. */
export interface Mount {
  readonly asked: string;
  readonly sent: string;
}

/**
 * Path and query of an endpoint, as a client of the gateway has to ask for them; `undefined` if it is no http URL.
 * Scheme and host are left out: a client refuses an endpoint that is not where its stream is.
 */
export function endpointForClient(endpoint: string, { asked, sent }: Mount): string | undefined {
  const base = `http://backend${sent}`;
  if (!URL.canParse(endpoint, base)) return undefined;
  const url = new URL(endpoint, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const path = mounted(url.pathname, asked, sent);
  // Two slashes would name a host.
  return path.startsWith('//') ? undefined : path + url.search;
}

function mounted(path: string, asked: string, sent: string): string {
  // In front of the backend's paths is a part that it does not see: `app.use('/gateway', proxy)` ...
  if (asked.endsWith(sent)) return asked.slice(0, asked.length - sent.length) + path;
  // ... or in its own paths is one that the client does not see: a target with a path.
  const hidden = sent.endsWith(asked) ? sent.slice(0, sent.length - asked.length) : '';
  return path.startsWith(`${hidden}/`) ? path.slice(hidden.length) : path;
}

/**
 * The session in a URL: the first of the parameters that is there, percent-decoded. `undefined` if none is;
 * an empty string, which is no session id, if it cannot be read or is there twice.
 */
export function sessionInQuery(url: string, params: readonly string[]): string | undefined {
  const at = url.indexOf('?');
  if (at === -1) return undefined;
  const pairs = url
    .slice(at + 1)
    .replace(/#.*$/s, '')
    .split('&')
    .map((pair) => pair.split(/=(.*)/s));
  const [found, another] = pairs.filter(([name = '']) => params.includes(decoded(name) ?? ''));
  if (!found) return undefined;
  // Of two the backend may read the other one, whatever their names are.
  return (another ? undefined : decoded(found[1] ?? '')) ?? '';
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
