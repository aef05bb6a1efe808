import type { Answer } from './load.ts';

export const JSON_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};
const CALL =
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{}}}';
const INITIALIZE =
  '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}';
const VERSION = 'mcp-protocol-version: 2025-11-25';

/** The bytes of a request, for a path of its own if need be. */
function request(method: string, path: string, lines: readonly string[], body = ''): string {
  const all = [
    `${method} ${path} HTTP/1.1`,
    'host: bench',
    ...Object.entries(JSON_HEADERS).map(([name, value]) => `${name}: ${value}`),
    ...lines,
    ...(method === 'POST' ? [`content-length: ${body.length}`] : []),
  ];
  return `${all.join('\r\n')}\r\n\r\n${body}`;
}

export const initialize = (path = '/mcp'): string => request('POST', path, [], INITIALIZE);

export const call = (session: string, path = '/mcp'): string =>
  request('POST', path, [`mcp-session-id: ${session}`, VERSION], CALL);

export const listen = (session: string, path = '/mcp'): string =>
  request('GET', path, [`mcp-session-id: ${session}`, VERSION]);

export const remove = (session: string, path = '/mcp'): string =>
  request('DELETE', path, [`mcp-session-id: ${session}`, VERSION]);

/** The session that an answer to `initialize` has opened. */
export function sessionOf({ status, head }: Answer): string {
  const id = /\r\nmcp-session-id: ([^\r]+)/i.exec(head)?.[1];
  if (status !== 200 || id === undefined) throw new Error(`no session was opened: ${head}`);
  return id;
}

/** Any other answer than the one that is measured would make the figure worthless. */
export function expectSuccess({ status, head }: Answer): void {
  if (status !== 200) throw new Error(`not answered with 200: ${head}`);
}
