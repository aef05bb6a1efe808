/** Serves MCP as the official SDK does it: sessions live in this process only. */
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import type { Request, RequestHandler, Response } from 'express';
import type { LogEntry } from './request-log.ts';

const requestLog = process.env.REQUEST_LOG;

/** Takes bodies that `express.json` has parsed. `instance` is how the process is called in answers and in its log. */
export function mcpHandler(instance: string): RequestHandler {
  const transports = new Map<string, StreamableHTTPServerTransport>();

  /** Written before the request is answered: whoever has the answer finds the line. */
  function log(session: string | undefined, method: string): void {
    const entry: LogEntry = { instance, method, ...(session !== undefined && { session }) };
    if (requestLog) appendFileSync(requestLog, `${JSON.stringify(entry)}\n`);
  }

  function createMcpServer(): McpServer {
    const mcp = new McpServer({ name: 'counter', version: '1.0.0' });
    let count = 0;
    mcp.registerTool('count', { description: 'Counts the calls of this session' }, () => {
      count += 1;
      return { content: [{ type: 'text', text: JSON.stringify({ instance, count }) }] };
    });
    return mcp;
  }

  async function openSession(req: Request, res: Response): Promise<void> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => {
        transports.set(id, transport);
        log(id, 'initialize');
      },
      onsessionclosed: (id) => {
        transports.delete(id);
      },
    });
    await createMcpServer().connect(transport);
    await transport.handleRequest(req, res, req.body);
  }

  async function answer(req: Request, res: Response): Promise<void> {
    const id = req.get('mcp-session-id');
    if (id === undefined && req.method === 'POST' && isInitializeRequest(req.body)) {
      await openSession(req, res);
      return;
    }

    for (const message of [req.body].flat()) log(id, message?.method ?? req.method);
    const transport = transports.get(id ?? '');
    if (transport) {
      await transport.handleRequest(req, res, req.body);
      return;
    }
    res.status(id === undefined ? 400 : 404).json({
      jsonrpc: '2.0',
      error: {
        code: id === undefined ? -32000 : -32001,
        message: id === undefined ? 'Bad Request: Mcp-Session-Id is required' : 'Session not found',
      },
    });
  }

  return (req, res) => {
    answer(req, res).catch((error: unknown) => {
      console.error(error);
      res.destroy();
    });
  };
}
