import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { isOfOneHop, nominated } from '../../http/hop-by-hop.ts';
import { SESSION_HEADER } from '../../protocol/session-id.ts';

/** What Express knows of a client, behind proxies that the app trusts. */
interface ExpressRequest extends IncomingMessage {
  readonly ip?: string;
  readonly protocol?: string;
  readonly app?: { get(name: string): unknown };
}

/** A header as undici has parsed it. */
export type Parsed = string | string[] | undefined;

/** What is written anew, or is for the hop to this gateway only. */
const OWN_FRAMING = new Set(['transfer-encoding', 'expect', 'host']);

const FORWARDED = new Set([
  ...['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
]);

/**
 * The headers that a backend gets: those of the request as the app has left them, [name, value, name, value],
 * without those of one hop (RFC 9110, 7.6.1).
 */
export function requestHeaders(
  req: ExpressRequest,
  host: string | undefined,
  xfwd: boolean,
): string[] {
  const { headers } = req;
  const named = nominated(headers.connection);
  const sent: string[] = [];
  const ownHost = host ?? headers.host;
  if (ownHost !== undefined) sent.push('host', ownHost);
  for (const name of Object.keys(headers)) {
    if (isOfOneHop(name, named) || OWN_FRAMING.has(name) || (xfwd && FORWARDED.has(name))) continue;
    const value = headers[name];
    if (Array.isArray(value)) for (const each of value) sent.push(name, each);
    else if (value !== undefined) sent.push(name, value);
  }
  if (xfwd) {
    const { socket, ip, protocol } = req;
    const secure = (socket as Partial<TLSSocket>).encrypted === true;
    sent.push('x-forwarded-for', ip ?? socket.remoteAddress ?? '');
    sent.push('x-forwarded-proto', protocol ?? (secure ? 'https' : 'http'));
    const asked = askedHost(req);
    if (asked !== undefined) sent.push('x-forwarded-host', asked);
  }
  return sent;
}

/** `req.host` of Express 5; that of Express 4 has no port. */
function askedHost({ app, headers, socket }: ExpressRequest): string | undefined {
  const trusts: unknown = app?.get('trust proxy fn');
  const forwarded = headers['x-forwarded-host'];
  if (typeof trusts !== 'function' || forwarded === undefined) return headers.host;
  const isTrusted: unknown = Reflect.apply(trusts, app, [socket.remoteAddress, 0]);
  return isTrusted === true ? String(forwarded).split(',')[0]?.trim() : headers.host;
}

/**
 * The headers that a client gets of an answer, byte for byte, without those of one hop: [name, value, name, value],
 * a name that is there several times once, with a list of its values, as `writeHead` of Node 20 wants it.
 */
export function answerHeaders(raw: readonly Buffer[], connection: Parsed): (string | string[])[] {
  const named = nominated(Array.isArray(connection) ? connection.join(',') : connection);
  const sent: (string | string[])[] = [];
  const lowers: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = textOf(raw[at]);
    const lower = name.toLowerCase();
    if (lower === 'transfer-encoding' || isOfOneHop(lower, named)) continue;
    const value = textOf(raw[at + 1]);
    const before = lowers.indexOf(lower);
    if (before === -1) {
      lowers.push(lower);
      sent.push(name, value);
    } else {
      const place = 2 * before + 1;
      const values = sent[place] ?? '';
      sent[place] = Array.isArray(values) ? [...values, value] : [values, value];
    }
  }
  return sent;
}

/** What may stand behind a body: neither framing nor routing. */
export function answerTrailers(raw: readonly Buffer[]): [string, string][] {
  const sent: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = textOf(raw[at]);
    const lower = name.toLowerCase();
    const framing = lower === 'transfer-encoding' || lower === 'content-length';
    if (!framing && lower !== SESSION_HEADER && !isOfOneHop(lower, undefined))
      sent.push([name, textOf(raw[at + 1])]);
  }
  return sent;
}

function textOf(bytes: Buffer | undefined): string {
  return bytes?.toString('latin1') ?? '';
}
