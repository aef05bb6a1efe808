import { createSocket, type Socket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import * as packet from 'dns-packet';
import { onCleanup } from './cleanup.ts';

export interface Service {
  readonly target: string;
  readonly port: number;
}

/** What is said of a name and a type: records, a failure of the server, or nothing at all. */
export type Said<T> = readonly T[] | 'SERVFAIL' | 'silence';

/** A type that is left out, or an empty list, is NODATA. */
export interface Records {
  readonly A?: Said<string>;
  readonly AAAA?: Said<string>;
  readonly SRV?: Said<Service>;
}

export interface DnsServer {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** What it knows of each name; of all others that they do not exist. */
  readonly zone: Map<string, Records>;
  /** `A mcp.test`, in the order in which it was asked. */
  readonly asked: string[];
  /** Asks this server, once, and gives it 200 ms. */
  readonly resolver: dns.Resolver;
}

// Most that a datagram holds without EDNS, which Node's resolver does not use (RFC 1035, 4.2.1).
const LARGEST_DATAGRAM = 512;

/** A DNS server on loopback, by UDP, and by TCP for what is too long. */
export async function startDnsServer(): Promise<DnsServer> {
  const zone: DnsServer['zone'] = new Map();
  const asked: string[] = [];
  const reply = (query: packet.Packet): packet.Packet | undefined => replyTo(query, zone);
  const tcp = tcpServer(reply);
  const udp = createSocket('udp4', (message, { address, port }) => {
    const query = packet.decode(message);
    asked.push(...(query.questions ?? []).map(({ type, name }) => `${type} ${name}`));
    const answer = reply(query);
    if (answer) udp.send(datagram(answer), port, address);
  });
  const address = `127.0.0.1:${await bindBoth(udp, tcp)}`;
  onCleanup(() => udp.close());
  onCleanup(() => tcp.close());

  const resolver = new dns.Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([address]);
  return { address, zone, asked, resolver };
}

/** The port of both. The UDP port that belongs to a free TCP port is hardly ever taken, not so the reverse. */
async function bindBoth(udp: Socket, tcp: net.Server): Promise<number> {
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  return port;
}

function tcpServer(reply: (query: packet.Packet) => packet.Packet | undefined): net.Server {
  return net.createServer((connection) => {
    let received: Buffer = Buffer.alloc(0);
    connection.on('error', () => {});
    connection.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return;
      const answer = reply(packet.streamDecode(received));
      received = Buffer.alloc(0);
      if (answer) connection.write(packet.streamEncode(answer));
    });
    onCleanup(() => connection.destroy());
  });
}

/** What is too long is cut, and asked for again by TCP. */
function datagram(reply: packet.Packet): Buffer {
  const bytes = packet.encode(reply);
  if (bytes.length <= LARGEST_DATAGRAM) return bytes;
  const flags = (reply.flags ?? 0) | packet.TRUNCATED_RESPONSE;
  return packet.encode({ ...reply, flags, answers: [] });
}

/** The reply, or `undefined` for none. */
function replyTo(query: packet.Packet, zone: DnsServer['zone']): packet.Packet | undefined {
  const [question] = query.questions ?? [];
  const reply = { type: 'response', id: query.id ?? 0, questions: query.questions ?? [] } as const;
  const records = zone.get(question?.name ?? '');
  if (!question || !records) return { ...reply, flags: 3 };
  const said = Reflect.get(records, question.type) as Said<string | Service> | undefined;
  if (said === 'silence') return undefined;
  if (said === 'SERVFAIL') return { ...reply, flags: 2 };
  return { ...reply, answers: (said ?? []).map((data) => answerOf(question, data)) };
}

function answerOf({ name }: packet.Question, data: string | Service): packet.Answer {
  if (typeof data !== 'string') return { type: 'SRV', name, ttl: 300, data };
  return { type: net.isIPv6(data) ? 'AAAA' : 'A', name, ttl: 300, data };
}
