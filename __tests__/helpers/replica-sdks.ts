import { randomUUID } from 'node:crypto';
import { createMcpExpressApp as createExpressApp2 } from '@modelcontextprotocol/express';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { createMcpExpressApp as createExpressApp1 } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { McpServer as McpServer2 } from '@modelcontextprotocol/server';
import express, { type Express, type Request, type Response } from 'express';

/** What the transports of both SDKs have in common. */
interface Transport {
  handleRequest(req: Request, res: Response, body?: unknown): Promise<void>;
}

/** A real MCP server in an Express app, as the documentation of its SDK has it. */
export interface SdkServer {
  readonly app: () => Express;
  readonly serve: (app: Express, name: string) => void;
}

type Open = (
  name: string,
  session: {
    readonly opened: (id: string, transport: Transport) => void;
    readonly closed: (id: string) => void;
  },
) => Promise<Transport>;

export const SDK_SERVERS = {
  'StreamableHTTPServerTransport of SDK v1': { app: express, serve: serving(open1) },
  'NodeStreamableHTTPServerTransport of SDK v2': { app: express, serve: serving(open2) },
  'the Express app of SDK v1': { app: () => createExpressApp1(), serve: serving(open1) },
  'the Express app of SDK v2': {
    app: () => createExpressApp2(),
    serve: serving(open2),
  },
} as const satisfies Record<string, SdkServer>;

function serving(open: Open): SdkServer['serve'] {
  return (app, name) => {
    const transports = new Map<string, Transport>();
    const answer = async (req: Request, res: Response): Promise<void> => {
      const id = req.get('mcp-session-id');
      const known =
        id === undefined
          ? await open(name, {
              opened: (opened, transport) => void transports.set(opened, transport),
              closed: (closed) => void transports.delete(closed),
            })
          : transports.get(id);
      if (known) await known.handleRequest(req, res, req.body);
      else res.status(404).json({ jsonrpc: '2.0', error: { code: -32001, message: 'unknown' } });
    };
    app.all('/mcp', (req, res, next) => {
      answer(req, res).catch(next);
    });
  };
}

async function open1(name: string, session: Parameters<Open>[1]): Promise<Transport> {
  const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => session.opened(id, transport),
    onsessionclosed: session.closed,
  });
  const server = new McpServer1({ name, version: '1.0.0' });
  const count = counter(name);
  server.registerTool('count', { description: 'Counts' }, count);
  await server.connect(transport);
  return transport;
}

async function open2(name: string, session: Parameters<Open>[1]): Promise<Transport> {
  const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => session.opened(id, transport),
    onsessionclosed: session.closed,
  });
  const server = new McpServer2({ name, version: '1.0.0' });
  server.registerTool('count', { description: 'Counts' }, counter(name));
  await server.connect(transport);
  return transport;
}

function counter(name: string): () => { content: { type: 'text'; text: string }[] } {
  let count = 0;
  return () => {
    count += 1;
    return { content: [{ type: 'text', text: `${name} ${count}` }] };
  };
}
