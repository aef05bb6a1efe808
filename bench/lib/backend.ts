/**
 * An MCP server as small as it can be: it takes any session for one of its own, so that a million of them cost
 * nothing. `?stateless` opens no session, `?bytes=N` answers with so many, `?slowly` reads 1 MB in 20 ms.
 */
import { once } from 'node:events';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const ANSWER = '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"ok"}]}}';
const MEGABYTE = Buffer.alloc(1024 * 1024, 'x');
const REST = 20;

const server = http.createServer((req, res) => {
  const query = new URLSearchParams(req.url?.split('?')[1]);
  if (req.method === 'GET') {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
  } else if (query.has('bytes')) {
    req.resume();
    void sendBytes(res, Number(query.get('bytes')));
  } else if (query.has('slowly')) {
    void readSlowly(req).then(() => answer(res));
  } else {
    const opening = req.headers['mcp-session-id'] === undefined && !query.has('stateless');
    req.resume().once('end', () => {
      if (opening) res.setHeader('mcp-session-id', crypto.randomUUID());
      answer(res);
    });
  }
});
// Longer than any gateway keeps an idle connection.
server.keepAliveTimeout = 120_000;
server.listen({ port: Number(process.env['PORT'] ?? 0), host: '127.0.0.1', backlog: 4096 }, () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit(0));

function answer(res: ServerResponse): void {
  res.setHeader('content-type', 'application/json');
  res.setHeader('content-length', ANSWER.length);
  res.end(ANSWER);
}

async function sendBytes(res: ServerResponse, bytes: number): Promise<void> {
  res.setHeader('content-type', 'application/octet-stream');
  res.setHeader('content-length', bytes);
  for (let sent = 0; sent < bytes; sent += MEGABYTE.length) {
    if (!res.write(MEGABYTE)) await once(res, 'drain');
  }
  res.end();
}

async function readSlowly(body: AsyncIterable<Buffer>): Promise<void> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size < MEGABYTE.length) continue;
    size = 0;
    await delay(REST);
  }
}
