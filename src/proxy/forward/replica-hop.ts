import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { SESSION_HEADER } from '../../protocol/session-id.ts';
import { originForm } from '../framing.ts';

/** Header of a request that one replica has forwarded to another: it goes no further. */
export const HOP_HEADER = 'x-mcp-replica-hop';

/** How old, or how far ahead, a signature may be (ms): clocks of replicas differ. */
const LONGEST_AGE = 60_000;

type Request = IncomingMessage & { readonly originalUrl?: string };

/** One way between replicas, as far as it can be told from the header. */
export interface ReplicaHop {
  /** Whether there is a secret to sign with. */
  readonly signs: boolean;
  /** Marks the request as one that this replica forwards to the one with this origin. */
  mark(req: Request, to: string): void;
  /** Whether another replica has sent it to the one with this origin, a moment ago. Never without a secret. */
  isProven(req: Request, to: string): boolean;
}

/**
 * Marks what is forwarded, so that it is never forwarded twice. With a secret the mark is signed, for this request,
 * this replica and this minute.
 *
 * @param secrets the first one signs, each is believed; none: nothing is signed, and nothing believed
 * @param clock milliseconds since 1970
 */
export function replicaHop(secrets: readonly string[], clock: () => number): ReplicaHop {
  const [secret] = secrets;
  return {
    signs: secret !== undefined,
    mark(req, to) {
      const at = String(clock());
      req.headers[HOP_HEADER] =
        secret === undefined ? '1' : `t=${at},mac=${macOf(req, { to, at }, secret)}`;
    },
    isProven(req, to) {
      const { at = '', mac = '' } = MARK.exec(String(req.headers[HOP_HEADER]))?.groups ?? {};
      if (at === '' || Math.abs(clock() - Number(at)) > LONGEST_AGE) return false;
      return secrets.some((each) => isSame(mac, macOf(req, { to, at }, each)));
    },
  };
}

/** `"t=" 1*15DIGIT ",mac=" 43base64url`: milliseconds since 1970, HMAC-SHA256. */
const MARK = /^t=(?<at>\d{1,15}),mac=(?<mac>[\w-]{43})$/;

/** Whether it says that a replica has forwarded it. A client that says so harms nobody but itself. */
export function claimsHop({ headers }: IncomingMessage): boolean {
  return headers[HOP_HEADER] !== undefined;
}

function macOf(
  { method, originalUrl, url, headers }: Request,
  { to, at }: { readonly to: string; readonly at: string },
  secret: string,
): string {
  const path = originForm(originalUrl ?? url ?? '/') ?? null;
  const signed = [at, to, method, path, headers[SESSION_HEADER] ?? null];
  // Nothing else that is signed with the secret begins so.
  const text = JSON.stringify(['mcp-session-routing hop', ...signed]);
  return createHmac('sha256', secret).update(text).digest('base64url');
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
