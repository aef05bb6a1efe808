/**
 * What routing and forwarding cost: CPU time of the gateway process per request of a session, against the same
 * proxy without this package. Rounds alternate and are paired; "again" is the plain proxy a second time, the control.
 *
 *   npm run bench
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Variant } from './gateway-process.ts';

const ROUNDS = 15;
const REQUESTS = 3000;
const CONNECTIONS = 16;
const BODY =
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{}}}';
const INITIALIZE = '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}';

const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const backend = http.createServer((req, res) => {
  const opening = req.headers['mcp-session-id'] === undefined;
  req.resume().once('end', () => {
    res.setHeader('content-type', 'application/json');
    if (opening) res.setHeader('mcp-session-id', crypto.randomUUID());
    res.end('{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"ok"}]}}');
  });
});

function post(url: string, body: string, headers: http.OutgoingHttpHeaders): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response
        .resume()
        .once('end', () => resolve(String(response.headers['mcp-session-id'] ?? '')));
    });
    request.once('error', reject).end(body);
  });
}

async function cpuOf(gateway: ChildProcess): Promise<number> {
  gateway.send('cpu');
  const [usage] = (await once(gateway, 'message')) as [NodeJS.CpuUsage];
  return usage.user + usage.system;
}

async function round(gateway: ChildProcess, url: string): Promise<number> {
  const common = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const session = await post(url, INITIALIZE, common);
  const headers = { ...common, 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': session };
  const before = await cpuOf(gateway);
  let left = REQUESTS;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await post(url, BODY, headers);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return ((await cpuOf(gateway)) - before) / REQUESTS;
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

backend.listen(0, '127.0.0.1');
await once(backend, 'listening');
const target = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
const gateway = fork(new URL('gateway-process.ts', import.meta.url), [target], {
  execArgv: ['--import', 'tsx'],
});
const [variants] = (await once(gateway, 'message')) as [Record<string, Variant>];
const names = Object.keys(variants);
const costs = new Map<string, number[]>(names.map((name) => [name, []]));

for (let turn = -2; turn < ROUNDS; turn += 1) {
  for (const name of turn % 2 === 0 ? names : names.toReversed()) {
    const cost = await round(gateway, variants[name]?.url ?? '');
    if (turn >= 0) costs.get(name)?.push(cost);
  }
}

console.log(
  `Node ${process.version}, ${ROUNDS} rounds of ${REQUESTS} requests, ${CONNECTIONS} connections`,
);
console.log(
  '| variant | CPU per request, median | against | efficiency, median of pairs |\n|---|---|---|---|',
);
for (const name of names) {
  const { against = name } = variants[name] ?? {};
  const plain = costs.get(against) ?? [];
  const own = costs.get(name) ?? [];
  const ratio = median(own.map((cost, at) => (plain[at] ?? Number.NaN) / cost));
  const relation = against === name ? '|' : `${against} | ${ratio.toFixed(3)} x`;
  console.log(`| ${name} | ${median(own).toFixed(0)} us | ${relation} |`);
}
gateway.disconnect();
agent.destroy();
backend.close();
backend.closeAllConnections();
