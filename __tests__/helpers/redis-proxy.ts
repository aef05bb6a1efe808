import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { onCleanup } from './cleanup.ts';
import { listen } from './listen.ts';
import type { RedisServer } from './redis-server.ts';

export interface RedisProxy {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The commands that clients have sent, those of one chunk, which is one round trip, together. */
  readonly sent: string[][];
  /** What becomes of the replies: each one is a whole RESP value. */
  rewrite: (replies: readonly Buffer[]) => readonly Buffer[];
  /** Milliseconds that each chunk of replies is late. */
  delay: number;
  /** Accepts connections, and lets nothing through, in neither direction. */
  blackHole: boolean;
  /** Nothing gets through the present connections any more, and nothing closes them; new ones are as before. */
  cutSilently(): void;
  /** Breaks off the present connections. */
  reset(): void;
  /** Breaks off the present connections, and refuses new ones. */
  refuse(): Promise<void>;
  /** Takes connections again. */
  accept(): Promise<void>;
}

/** A TCP proxy in front of a Redis. */
export async function proxyOf(redis: Pick<RedisServer, 'host' | 'port'>): Promise<RedisProxy> {
  let generation = 0;
  const server = net.createServer((client) => {
    const upstream = net.connect(redis.port, redis.host);
    const ours = generation;
    const passes = (): boolean => ours === generation && !proxy.blackHole;
    let rest: Buffer = Buffer.alloc(0);
    let sending: Promise<unknown> = Promise.resolve();
    client.on('data', (chunk) => {
      proxy.sent.push(commandsOf(chunk));
      if (passes()) upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!passes()) return;
      const { replies, left } = splitReplies(Buffer.concat([rest, chunk]));
      rest = left;
      const rewritten = Buffer.concat(proxy.rewrite(replies));
      // One after the other, also when the delay changes.
      sending = Promise.all([sending, proxy.delay > 0 && pause(proxy.delay)]).then(
        () => client.destroyed || client.write(rewritten),
      );
    });
    upstream.on('error', () => {});
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  const listening = await listen(server);
  onCleanup(() => listening.close());
  const proxy: RedisProxy = {
    url: `redis://127.0.0.1:${listening.port}`,
    host: '127.0.0.1',
    port: listening.port,
    sent: [],
    rewrite: (replies) => replies,
    delay: 0,
    blackHole: false,
    cutSilently: () => void (generation += 1),
    reset: () => listening.reset(),
    refuse: () => listening.close(),
    accept: () => listening.reopen(),
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
