/** A stateful MCP server, as small as it can be: its sessions live in this process only. */
import { openSync, writeSync } from 'node:fs';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LogEntry } from './history.ts';

const instance = process.env['INSTANCE'] ?? '';
const file = openSync(process.env['LOG'] ?? '', 'a');
/** What a tool takes (ms): so that calls are under way when the process is killed. */
const WORK = 20;
/** To an id it does not know; 400 is what many servers made after the SDK's examples answer. */
const UNKNOWN =
  process.env['UNKNOWN_STATUS'] === '400'
    ? { status: 400, code: -32000, message: 'Bad Request: No valid session ID provided' }
    : { status: 404, code: -32001, message: 'Session not found' };
const sessions = new Set<string>();

interface Message {
  readonly id?: string;
  readonly method?: string;
}

const server = http.createServer((req, res) => {
  if (req.method === 'GET' && req.url === '/health') res.end('ok');
  else if (req.method !== 'POST') res.writeHead(405).end();
  else {
    let body = '';
    req.setEncoding('utf8').on('data', (text: string) => (body += text));
    req.once('end', () => take(req.headers['mcp-session-id']?.toString(), parse(body), res));
  }
});
// Longer than any front keeps an idle connection: Node's 5 s would cost each of them an answer now and then.
server.keepAliveTimeout = 120_000;
server.listen(Number(process.env['PORT']), '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit(0));

function take(session: string | undefined, message: Message, res: ServerResponse): void {
  const { id, method } = message;
  if (method === 'initialize' && session === undefined) {
    const opened = crypto.randomUUID();
    sessions.add(opened);
    log({ instance, session: opened, did: 'opened', call: id });
    const serverInfo = { name: instance, version: '1' };
    res.setHeader('Mcp-Session-Id', opened);
    reply(res, 200, {
      id,
      result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo },
    });
  } else if (session === undefined) {
    reply(res, 400, { id, error: { code: -32000, message: 'Bad Request: no session' } });
  } else if (!sessions.has(session)) {
    log({ instance, session, did: 'refused', call: id });
    const { status, code, message } = UNKNOWN;
    reply(res, status, { id, error: { code, message } });
  } else if (id === undefined) {
    log({ instance, session, did: 'noted', call: id });
    res.writeHead(202).end();
  } else {
    log({ instance, session, did: 'executed', call: id });
    const content = [{ type: 'text', text: instance }];
    setTimeout(() => reply(res, 200, { id, result: { content } }), WORK);
  }
}

/** Written before the request is answered, and not lost when the process is killed. */
function log(entry: LogEntry): void {
  writeSync(file, `${JSON.stringify(entry)}\n`);
}

function parse(body: string): Message {
  try {
    return JSON.parse(body) as Message;
  } catch {
    return {};
  }
}

function reply(res: ServerResponse, status: number, content: object): void {
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ jsonrpc: '2.0', ...content }));
}
