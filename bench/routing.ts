/** P1 to P3: what routing costs, and what the forwarder costs and gains. */
import { Comparison } from './lib/comparison.ts';
import { shown, type Figure, type Section, type Table } from './lib/result.ts';
import { measure } from './lib/rounds.ts';

const SIZE = { rounds: 160, requests: 250 };
const CONNECTIONS = 16;
/** Enough for the gateway never to wait for a client; long rounds, since it does while they begin and end. */
const SATURATING = { rounds: 24, requests: 2000, connections: 64 };

export const TITLES: Readonly<Record<string, string>> = {
  plain4: 'Express + http-proxy-middleware 4, keep-alive agent',
  routed4: 'with mcpSessionRouting and sessionPlugin',
  recommended4: 'with mcpSessionRouting and the recommended options',
  plain3: 'Express + http-proxy-middleware 3, keep-alive agent',
  routed3: 'with mcpSessionRouting and sessionPlugin',
  recommended3: 'with mcpSessionRouting and the recommended options',
  bare: 'Express + undici, nothing else',
  'bare-node': 'node:http + undici, nothing else',
  forward: 'Express + mcpSessionRouting + sessionForwarder',
  'forward-node': 'node:http + mcpSessionRouting + sessionForwarder',
  fastify: 'Fastify + @fastify/http-proxy',
};

export async function routing(): Promise<Section> {
  const { figures, tables } = await forwarder();
  const proxies = [await proxy(4), await proxy(3)];
  return {
    figures: [...proxies.flatMap((each) => each.figures), ...figures],
    tables: [...proxies.flatMap((each) => each.tables), ...tables],
  };
}

async function proxy(major: 3 | 4): Promise<Section> {
  const [plain, control] = [`plain${major}`, `plain${major}#again`];
  const [routed, recommended] = [`routed${major}`, `recommended${major}`];
  const names = [plain, control, routed, recommended];
  const compared = new Comparison(await measure(names, { ...SIZE, connections: CONNECTIONS }));
  const at = `http-proxy-middleware ${major}`;
  const own = compared.cpu(routed) - compared.cpu(plain);
  return {
    figures: [
      {
        ...{ id: 'P1', what: `${at}: efficiency with routing, against the plain proxy` },
        ...{ value: compared.efficiency(routed, plain), unit: 'x', atLeast: 0.95 },
      },
      { id: 'P1', what: `${at}: own share of routing`, value: own, unit: 'us' },
      {
        ...{ id: 'P1b', what: `${at}: the same with the recommended options` },
        ...{ value: compared.efficiency(recommended, plain), unit: 'x', atLeast: 1 },
      },
      {
        ...{ id: 'P1', what: `${at}: the plain proxy against itself (the error)` },
        ...{ value: compared.efficiency(control, plain), unit: 'x' },
      },
    ],
    tables: [tableOf(`Routing with ${at}, ${CONNECTIONS} connections`, names, compared)],
  };
}

async function forwarder(): Promise<Section> {
  const names = ['bare', 'bare#again', 'forward', 'bare-node', 'forward-node', 'fastify', 'plain4'];
  const size = { ...SIZE, connections: CONNECTIONS };
  const compared = new Comparison(await measure(names, { ...size, apart: true }));
  const loaded = ['plain4', 'bare', 'forward', 'forward-node', 'fastify'];
  const saturated = new Comparison(await measure(loaded, { ...SATURATING, apart: true }));
  const gain = (name: string, where: string): Figure => ({
    ...{
      id: 'P2',
      what: `sessionForwarder on ${where}: requests per second against Express + plain http-proxy-middleware 4`,
    },
    ...{ value: saturated.rate(name) / saturated.rate('plain4'), unit: 'x', atLeast: 2.3 },
  });
  const figures: Figure[] = [
    gain('forward', 'Express'),
    gain('forward-node', 'node:http'),
    {
      ...{
        id: 'P3',
        what: 'sessionForwarder on Express: efficiency against Express + undici alone',
      },
      ...{ value: compared.efficiency('forward', 'bare'), unit: 'x', atLeast: 0.93 },
    },
    {
      ...{ id: 'P3', what: 'on node:http, against node:http + undici alone' },
      ...{ value: compared.efficiency('forward-node', 'bare-node'), unit: 'x' },
    },
    {
      ...{ id: 'P3', what: 'Express + undici against itself (the error)' },
      ...{ value: compared.efficiency('bare#again', 'bare'), unit: 'x' },
    },
  ];
  return {
    figures,
    tables: [
      tableOf(`The forwarder, ${CONNECTIONS} connections`, names, compared),
      tableOf(`At saturation, ${SATURATING.connections} connections`, loaded, saturated),
    ],
  };
}

function tableOf(title: string, names: readonly string[], compared: Comparison): Table {
  return {
    title,
    head: ['', 'CPU per request', 'requests per second'],
    rows: names.map((name) => [
      (TITLES[name.replace(/#.*/, '')] ?? name) + (name.includes('#') ? ' (again)' : ''),
      shown(compared.cpu(name), 'us'),
      shown(compared.rate(name), ''),
    ]),
  };
}
