import { once } from 'node:events';
import net from 'node:net';
import { onCleanup } from '../../helpers/cleanup.ts';
import type { RedisServer } from '../../helpers/redis-server.ts';

export interface RedisProxy {
  readonly url: string;
  /** The commands that clients have sent, those of one chunk, which is one round trip, together. */
  readonly sent: string[][];
  /** What becomes of the replies: each one is a whole RESP value. */
  rewrite: (replies: readonly Buffer[]) => readonly Buffer[];
  /** Nothing gets through the present connections any more, and nothing closes them; new ones are as before. */
  cutSilently(): void;
  /** Milliseconds that each chunk of replies is late. */
  delay: number;
}

/** A TCP proxy in front of a Redis. */
export async function proxyOf(redis: Pick<RedisServer, 'host' | 'port'>): Promise<RedisProxy> {
  let generation = 0;
  const server = net.createServer((client: net.Socket) => {
    const upstream = net.connect(redis.port, redis.host);
    const ours = generation;
    let rest: Buffer = Buffer.alloc(0);
    client.on('data', (chunk) => {
      proxy.sent.push(commandsOf(chunk));
      if (ours === generation) upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (ours !== generation) return;
      const { replies, left } = splitReplies(Buffer.concat([rest, chunk]));
      rest = left;
      const rewritten = Buffer.concat(proxy.rewrite(replies));
      if (proxy.delay === 0) client.write(rewritten);
      else setTimeout(() => client.destroyed || client.write(rewritten), proxy.delay);
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  });
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  onCleanup(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const proxy: RedisProxy = {
    url: `redis://127.0.0.1:${port}`,
    sent: [],
    rewrite: (replies) => replies,
    cutSilently: () => void (generation += 1),
    delay: 0,
  };
  return proxy;
}

function commandsOf(chunk: Buffer): string[] {
  const commands = chunk.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g);
  return [...commands].map(([, name = '']) => name.toUpperCase());
}

/** Splits what a Redis has sent into whole RESP values (versions 2 and 3). */
function splitReplies(bytes: Buffer): { replies: Buffer[]; left: Buffer } {
  const replies: Buffer[] = [];
  let start = 0;
  for (;;) {
    const end = endOfValue(bytes, start);
    if (end === undefined) return { replies, left: bytes.subarray(start) };
    replies.push(bytes.subarray(start, end));
    start = end;
  }
}

function endOfValue(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  const type = String.fromCharCode(bytes[start] ?? 0);
  const length = Number(bytes.toString('latin1', start + 1, lineEnd));
  let end: number | undefined = lineEnd + 2;
  if ('$=!'.includes(type) && length >= 0) {
    end += length + 2;
    return end <= bytes.length ? end : undefined;
  }
  const members = '*~>'.includes(type) ? length : type === '%' ? 2 * length : 0;
  for (let member = 0; member < members && end !== undefined; member += 1) {
    end = endOfValue(bytes, end);
  }
  return end;
}
