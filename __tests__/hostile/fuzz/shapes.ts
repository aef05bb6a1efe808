import type { Random } from './random.ts';

/** A request before it is made to bytes. */
export interface Shape {
  method: string;
  target: string;
  version: string;
  headers: [name: string, value: string][];
  body: string;
  framing: 'length' | 'chunked' | 'none';
}

/** Session ids that a request may name. */
export interface Ids {
  readonly live: readonly string[];
  readonly ended: readonly string[];
}

const CALL = 'tools/call';

/** A request as a client sends it, with a mark in its URL and its body by which it is known at the backends. */
export function validShape(random: Random, ids: Ids, mark: string): Shape {
  const kind = random.pick([
    ...(['initialize', 'call', 'call', 'call', 'stream', 'delete', 'notification'] as const),
    ...(['batch', 'opening batch', 'modern', 'options', 'discovery'] as const),
  ]);
  const id = random.chance(0.15) ? undefined : idFor(random, ids);
  const session: [string, string][] = id === undefined ? [] : [['Mcp-Session-Id', id]];
  const version: [string, string][] = random.chance(0.8)
    ? [['MCP-Protocol-Version', random.pick(['2025-11-25', '2025-06-18', '2025-03-26'])]]
    : [];
  const posted = (...messages: object[]): Shape => ({
    method: 'POST',
    target: `/mcp?u=${mark}`,
    version: 'HTTP/1.1',
    headers: [
      ['Host', 'gateway'],
      ['Content-Type', 'application/json'],
      ['Accept', 'application/json, text/event-stream'],
      ...version,
      ...session,
    ],
    body: JSON.stringify(messages.length === 1 ? messages[0] : messages),
    framing: random.chance(0.25) ? 'chunked' : 'length',
  });
  const bare = (method: string): Shape => ({
    ...posted({}),
    method,
    headers: [['Host', 'gateway'], ['Accept', 'text/event-stream'], ...version, ...session],
    body: '',
    framing: 'none',
  });
  const call = message(random, CALL, { name: 'echo', arguments: { text: mark } });
  const initialize = message(random, 'initialize', { protocolVersion: '2025-11-25', mark });
  switch (kind) {
    case 'initialize': {
      const shape = posted(initialize);
      // As clients send it; with a version, and an id, only now and then.
      if (random.chance(0.7))
        shape.headers = shape.headers.filter(([name]) => !/^mcp-/i.test(name));
      return shape;
    }
    case 'call':
      return posted(call);
    case 'stream':
      return bare('GET');
    case 'delete':
      // Rarely of a live session: each has to be opened anew.
      return random.chance(0.3) ? bare('DELETE') : bare('GET');
    case 'notification':
      return posted({ jsonrpc: '2.0', method: 'notifications/initialized', params: { mark } });
    case 'batch':
      return posted(call, message(random, CALL, { mark }));
    case 'opening batch':
      return posted(call, initialize);
    case 'modern': {
      const shape = posted(call);
      const headers = shape.headers.filter(([name]) => name !== 'MCP-Protocol-Version');
      return { ...shape, headers: [...headers, ['MCP-Protocol-Version', '2026-07-28']] };
    }
    case 'options':
      return bare('OPTIONS');
    case 'discovery':
      return { ...bare('GET'), target: `/.well-known/oauth-protected-resource?u=${mark}` };
  }
}

function idFor(random: Random, { live, ended }: Ids): string {
  const unknown = random.visible(1 + random.below(40));
  if (random.chance(0.7)) return random.maybe(live) ?? unknown;
  return (random.chance(0.5) ? random.maybe(ended) : undefined) ?? unknown;
}

function message(random: Random, method: string, params: object): object {
  const id = random.pick<string | number>([1, 2 ** 40, 'one', '"\\\u00e9']);
  return { jsonrpc: '2.0', id, method, params };
}

/** A request whose answer is known beforehand. */
export function honestRequest(
  method: string,
  id: string | undefined,
  mark: string,
  body: string,
): Buffer {
  const posts = method === 'POST';
  return bytesOf({
    method,
    target: `/mcp?u=${mark}`,
    version: 'HTTP/1.1',
    headers: [
      ['Host', 'gateway'],
      // Which changes nothing: the session cannot be taken off.
      ['Connection', 'Mcp-Session-Id'],
      ...(id === undefined ? [] : [['Mcp-Session-Id', id] as [string, string]]),
    ],
    body: posts ? body : '',
    framing: posts ? 'length' : 'none',
  });
}

export function bytesOf({ method, target, version, headers, body, framing }: Shape): Buffer {
  const bytes = Buffer.from(body);
  const frame: [string, string][] =
    framing === 'length'
      ? [['Content-Length', String(bytes.length)]]
      : framing === 'chunked'
        ? [['Transfer-Encoding', 'chunked']]
        : [];
  const lines = [...headers, ...frame].map(([name, value]) => `${name}: ${value}`);
  const head = [`${method} ${target} ${version}`, ...lines, '', ''].join('\r\n');
  return Buffer.concat([
    Buffer.from(head, 'latin1'),
    framing === 'chunked' ? chunks(bytes) : bytes,
  ]);
}

function chunks(bytes: Buffer): Buffer {
  const half = bytes.length >> 1;
  const parts = [bytes.subarray(0, half), bytes.subarray(half)].filter(({ length }) => length > 0);
  const coded = parts.flatMap((part) => [
    Buffer.from(`${part.length.toString(16)}\r\n`),
    part,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...coded, Buffer.from('0\r\n\r\n')]);
}

/** In some parts, at any places. */
export function split(bytes: Buffer, random: Random): Buffer[] {
  const cuts = Array.from({ length: random.chance(0.5) ? 0 : 1 + random.below(4) }, () =>
    random.below(bytes.length + 1),
  );
  const at = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
  return at.slice(1).map((end, part) => bytes.subarray(at[part], end));
}
