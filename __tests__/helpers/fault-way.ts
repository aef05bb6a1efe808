import net, { type Socket } from 'node:net';

/** What a server has sent back. */
export interface RawReply {
  readonly status: number;
  /** As it came: `name: value` lines. */
  readonly head: string;
  readonly body: string;
}

/** No connection was made; or it broke off before the whole answer was there. */
export type NoReply = 'refused' | 'broken';

/** A server closes what nobody uses, after 5 s in Node: this is well before (ms). */
const IDLE = 3000;

/** Nothing more can be asked on a connection after this head. */
const LAST = /^connection: close|^content-type: text\/event-stream/im;

interface Idle {
  readonly socket: Socket;
  readonly since: number;
}

/**
 * Connections to one place, kept alive. A client that takes next to no time: thousands of these share their cores
 * with the gateways that they are to load.
 */
export class Way {
  readonly url: string;
  readonly #host: string;
  readonly #port: number;
  readonly #path: string;
  readonly #idle: Idle[] = [];

  constructor(url: string) {
    const { host, port, pathname } = new URL(url);
    this.url = url;
    this.#host = host;
    this.#port = Number(port);
    this.#path = pathname;
  }

  send(method: string, headers: readonly string[], body = ''): Promise<RawReply | NoReply> {
    const head = [
      `${method} ${this.#path} HTTP/1.1`,
      `Host: ${this.#host}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...headers,
    ];
    return this.#exchange(`${head.join('\r\n')}\r\n\r\n${body}`);
  }

  #exchange(request: string): Promise<RawReply | NoReply> {
    const socket = this.#take() ?? this.#connect();
    let connected = !socket.connecting;
    let text = '';
    return new Promise((resolve) => {
      const settle = (reply: RawReply | NoReply): void => {
        for (const event of ['connect', 'close', 'data']) socket.removeAllListeners(event);
        const reusable = typeof reply === 'object' && !LAST.test(reply.head);
        if (reusable) this.#idle.push({ socket, since: performance.now() });
        else socket.destroy();
        resolve(reply);
      };
      socket.once('connect', () => (connected = true));
      socket.once('close', () => settle(connected ? 'broken' : 'refused'));
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        const reply = replyOf(text);
        if (reply) settle(reply);
      });
      socket.write(request);
    });
  }

  #connect(): Socket {
    const socket = net.connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    return socket.on('error', () => {});
  }

  #take(): Socket | undefined {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      const { socket, since } = idle;
      if (!socket.destroyed && performance.now() - since < IDLE) return socket;
      socket.destroy();
    }
    return undefined;
  }
}

/** `undefined`: there is more to come. */
function replyOf(text: string): RawReply | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = text.slice(0, end);
  const status = Number(head.slice(9, 12));
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  const rest = text.slice(end + 4);
  if (length !== undefined) {
    return rest.length < Number(length) ? undefined : { status, head, body: rest };
  }
  // An event stream has no end to wait for: its head is all that is asked for.
  const stream = /^content-type: text\/event-stream/im.test(head);
  if (stream || !/^transfer-encoding: chunked/im.test(head)) return { status, head, body: rest };
  return rest.endsWith('0\r\n\r\n') ? { status, head, body: rest } : undefined;
}
