/** What `npm start` shows when it is given no backends of yours. */
import { runClients, type Run } from './clients.ts';
import { callsPerSession, fingerprint, type SessionCalls } from './request-log.ts';
import { startRoundRobin } from './round-robin.ts';
import { startServers, type DemoServers } from './servers.ts';

const CLIENTS = 6;
const CALLS = 5;
const TOTAL = CLIENTS * CALLS;

export function startDemoServers(mcpPath: string): Promise<DemoServers> {
  return startServers(['mcp-a', 'mcp-b', 'mcp-c'], { env: { MCP_PATH: mcpPath } });
}

/** Drives real clients through the gateway at `url`, then the same through a plain proxy. */
export async function runDemo(servers: DemoServers, url: string): Promise<string> {
  const run = await runClients(url, CLIENTS, CALLS);
  const rows = callsPerSession(servers.log(), run.sessions);
  const holders = new Set(rows.map((row) => row.owner)).size;
  checkRun(run, rows, holders === servers.origins.size);
  return [
    table(rows, servers.origins),
    `${sum(rows)} of ${TOTAL} calls on their own backend, by the backends' logs; ` +
      `${holders} of ${servers.origins.size} backends hold sessions`,
    `${await control(servers, new URL(url).pathname)} of ${TOTAL} without this package: ` +
      'the same clients through a plain round-robin proxy\n',
  ].join('\n');
}

export function commandsToTry(url: string): string {
  const post = `curl -i ${url} -H 'Content-Type: application/json'`;
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'curl', version: '1' },
  };
  const initialize = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
  const list = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
  return [
    '\nOpen a session, and use one that does not exist:',
    `  ${post} -H 'Accept: application/json, text/event-stream' -d '${initialize}'`,
    `  ${post} -H 'Mcp-Session-Id: nobody' -d '${list}'`,
  ].join('\n');
}

async function control(servers: DemoServers, mcpPath: string): Promise<number> {
  const proxy = await startRoundRobin([...servers.origins.values()], mcpPath);
  const { sessions } = await runClients(proxy.url, CLIENTS, CALLS);
  proxy.stop();
  return sum(callsPerSession(servers.log(), sessions));
}

function checkRun(run: Run, rows: SessionCalls[], allHoldSessions: boolean): void {
  const astray = rows.reduce((total, row) => total + row.astray, 0);
  if (sum(rows) !== TOTAL || run.answered !== TOTAL || astray !== 0) {
    throw new Error(
      `the demo expects ${TOTAL} answered calls on their own backends: ${run.answered} answered, ` +
        `${astray} astray, first complaint: ${run.complaint ?? 'none'}`,
    );
  }
  if (!allHoldSessions) throw new Error('the demo expects sessions on every backend');
}

function sum(rows: SessionCalls[]): number {
  return rows.reduce((total, row) => total + row.own, 0);
}

function table(rows: SessionCalls[], origins: Map<string, string>): string {
  const lines = rows.map(({ session, owner, own }) => {
    const backend = `${owner} ${origins.get(owner) ?? ''}`;
    return `${fingerprint(session)}  ${backend.padEnd(30)}  ${own} of ${CALLS}`;
  });
  const head = `${'session'.padEnd(12)}  ${'backend'.padEnd(30)}  calls on its own backend`;
  return ['', head, ...lines, ''].join('\n');
}
