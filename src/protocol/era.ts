import { isModern } from './revision.ts';

/** Which kind of MCP a request, or a server, speaks: with `initialize`, or without sessions. */
export type Era = 'legacy' | 'modern';

/** What an answer tells of the eras that a server speaks; what it does not tell is left out. */
export type SpokenEras = Readonly<Partial<Record<Era, boolean>>>;

/** The method by which a client asks a server for its era. */
export const DISCOVER = 'server/discover';

/** Asks a server which revisions it speaks (MCP 2026-07-28, Discovery). */
export function discoverRequest(version: string): string {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': { name: 'mcp-session-routing', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { _meta: meta };
  return JSON.stringify({ jsonrpc: '2.0', id: 'era', method: DISCOVER, params });
}

/**
 * What the answer to a request of 2026-07-28 tells. Errors -32020 to -32099 belong to that revision; any other refusal
 * in JSON-RPC is that of a server which wants `initialize` first.
 */
export function erasOfAnswer(status: number, body: string): SpokenEras {
  const message = parse(body);
  const code = memberOf(memberOf(message, 'error'), 'code');
  if (typeof code === 'number') {
    if (code <= -32020 && code >= -32099) return { modern: true };
    return status < 500 && status !== 401 && status !== 403 && status !== 429
      ? { modern: false }
      : {};
  }
  const result = memberOf(message, 'result');
  if (status < 200 || status >= 300 || result === undefined)
    return status === 400 ? { modern: false } : {};
  // Servers of both eras may list the revisions of one only: that none is older tells nothing.
  const versions = memberOf(result, 'supportedVersions');
  const older = Array.isArray(versions) && versions.some(isOlder);
  return older ? { modern: true, legacy: true } : { modern: true };
}

function isOlder(version: unknown): boolean {
  return typeof version === 'string' && !isModern(version);
}

/** What the answer to `initialize` tells: a server that knows no sessions says so in an error of its revision. */
export function erasOfInitialize(body: string): SpokenEras {
  const code = memberOf(memberOf(parse(body), 'error'), 'code');
  const modern = typeof code === 'number' && code <= -32020 && code >= -32099;
  return modern ? { modern: true, legacy: false } : {};
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
