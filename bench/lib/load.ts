import net from 'node:net';

const HEAD_END = '\r\n\r\n';
/** A request that is not answered for so long has failed (ms). */
const TIMEOUT = 20_000;

export interface Answer {
  readonly status: number;
  /** Status line and headers. */
  readonly head: string;
}

/**
 * One HTTP/1.1 connection that asks one thing after the other: as little work for the sender as can be. Where the
 * other side closes it after an answer, the next question makes it anew.
 */
export class Connection {
  readonly #port: number;
  readonly #host: string;
  #socket: net.Socket | undefined;
  #text = '';
  #settle: ((answer: Answer | Error) => void) | undefined;

  constructor(url: string) {
    const { port, hostname } = new URL(url);
    this.#port = Number(port);
    this.#host = hostname;
  }

  /** Rejects when the connection breaks, or no answer comes. */
  ask(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#text = '';
      this.#settle = (answer) => {
        this.#settle = undefined;
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      this.#connected().write(request, 'latin1');
    });
  }

  /** Sends a request whose answer, a stream, is only begun: resolves with its head. */
  async open(request: string): Promise<Answer> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const socket = this.#connected().removeAllListeners('data');
      this.#settle = (failed) => (failed instanceof Error ? reject(failed) : resolve(failed));
      socket.once('data', (head: string) => resolve({ status: statusOf(head), head }));
      socket.write(request, 'latin1');
    });
    this.#settle = undefined;
    return answer;
  }

  /** The socket, for those who read or write as slowly as they like. */
  socket(): net.Socket {
    return this.#connected();
  }

  close(): void {
    this.#settle = undefined;
    this.#socket?.destroy();
  }

  #connected(): net.Socket {
    if (this.#socket) return this.#socket;
    const socket = net.connect({ port: this.#port, host: this.#host, noDelay: true });
    socket.setEncoding('latin1');
    socket.setTimeout(TIMEOUT, () => this.#settle?.(new Error('no answer')));
    socket.on('data', (text: string) => this.#read(text));
    socket.on('error', (error) => this.#settle?.(error));
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#settle?.(new Error('the connection was closed'));
    });
    this.#socket = socket;
    return socket;
  }

  #read(text: string): void {
    this.#text += text;
    const end = this.#text.indexOf(HEAD_END);
    if (end === -1) return;
    const head = this.#text.slice(0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    const body = this.#text.length - end - HEAD_END.length;
    const whole =
      length === undefined ? this.#text.endsWith(`0${HEAD_END}`) : body === Number(length);
    if (!whole) return;
    if (/\r\nconnection: close/i.test(head)) {
      this.#socket?.destroy();
      this.#socket = undefined;
    }
    this.#settle?.({ status: statusOf(head), head });
  }
}

/** Runs `each` so many times, as many at once as there are connections. */
export async function spread(
  connections: readonly Connection[],
  times: number,
  each: (connection: Connection, at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (next < times) {
        next += 1;
        await each(connection, next - 1);
      }
    }),
  );
}

function statusOf(head: string): number {
  return Number(head.slice(9, 12));
}
