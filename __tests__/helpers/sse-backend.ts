import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { scriptedBackend, type ScriptedBackend } from './scripted-backend.ts';

/** How a server of HTTP+SSE names its endpoint: as the SDKs do, or in another way that is allowed. */
export const ENDPOINTS = {
  TypeScript: (id) => `/messages?sessionId=${id}`,
  Python: (id) => `/messages/?session_id=${id.replaceAll('-', '')}`,
  'an absolute URL': (id, { origin }) => `${origin}/messages?sessionId=${id}`,
  'a relative URL': (id) => `messages?sessionId=${id}`,
} as const satisfies Record<string, (id: string, backend: ScriptedBackend) => string>;

export type EndpointKind = keyof typeof ENDPOINTS;

export interface SseBackend extends ScriptedBackend {
  /** The open streams, by session. */
  readonly streams: Map<string, ServerResponse>;
  /** What is sent in front of the first event. @default nothing */
  prelude: string;
}

/** A server of HTTP+SSE (MCP 2024-11-05): answers come on the stream, the POST gets 202. */
export async function sseBackend(kind: EndpointKind, name = 'b'): Promise<SseBackend> {
  const streams = new Map<string, ServerResponse>();
  const backend: SseBackend = Object.assign(await scriptedBackend(undefined, { name }), {
    streams,
    prelude: '',
  });
  backend.answer = ({ method, url, body, res }) => {
    if (method === 'GET') {
      const endpoint = ENDPOINTS[kind](`${name}-${randomUUID()}`, backend);
      const id = idIn(endpoint);
      streams.set(id, res);
      res.once('close', () => streams.delete(id));
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write(`${backend.prelude}event: endpoint\ndata: ${endpoint}\n\n`);
      return true;
    }
    const stream = streams.get(idIn(url));
    if (!stream) return res.writeHead(404).end('Could not find session');
    res.writeHead(202).end('Accepted');
    const { id } = JSON.parse(body.toString()) as { id: unknown };
    const answer = { jsonrpc: '2.0', id, result: { backend: name } };
    return stream.write(`event: message\ndata: ${JSON.stringify(answer)}\n\n`);
  };
  return backend;
}

/** The session that a URL names. */
export function idIn(url: string): string {
  const { searchParams } = new URL(url, 'http://any');
  return searchParams.get('sessionId') ?? searchParams.get('session_id') ?? '';
}
