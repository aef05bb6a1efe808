/** A stateful MCP server: a process of its own behind a gateway. */
import express from 'express';
import { mcpHandler } from './mcp-handler.ts';
import { serve } from './serve.ts';

const app = express();
app.use(express.json({ limit: '4mb' }));
app.all(process.env.MCP_PATH ?? '/mcp', mcpHandler(process.env.INSTANCE ?? `mcp-${process.pid}`));

process.on('SIGTERM', () => process.exit(0));
await serve(app);
