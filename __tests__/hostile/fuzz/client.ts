import { once } from 'node:events';
import net from 'node:net';

/** How a request is written. */
export interface Writing {
  readonly parts: readonly Uint8Array[];
  /** Leaves once all is written, without waiting for an answer. */
  readonly abort: 'reset' | 'end' | undefined;
  /** How many answers to wait for. */
  readonly answers: number;
  /** The request is complete: the answer may take its time. */
  readonly complete?: boolean;
}

/** With nothing to be heard for so long a request is taken for incomplete: the connection is ended, and then left (ms). */
const QUIET = 60;
/** Longest that a complete request is waited for (ms). */
const PATIENCE = 20_000;

/** What came back. */
export interface Heard {
  readonly text: string;
  /** Neither an answer nor an end of the connection has come in time. */
  readonly silent: boolean;
}

/** Writes bytes on a connection of its own, and ends in a bounded time. */
export async function write(
  port: number,
  { parts, abort, answers, complete = false }: Writing,
): Promise<Heard> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const received: Buffer[] = [];
  const text = (): string => Buffer.concat(received).toString('latin1');
  let silent = false;
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(
      () => {
        if (silent) resolve();
        silent = true;
        socket.end();
        timer.refresh();
      },
      complete ? PATIENCE : QUIET,
    );
    socket.on('data', (bytes: Buffer) => {
      received.push(bytes);
      timer.refresh();
      if (answersIn(text()) >= answers) resolve();
    });
    for (const event of ['error', 'end', 'close']) socket.on(event, () => resolve());
    socket.once('close', () => clearTimeout(timer));
  });
  try {
    await Promise.race([once(socket, 'connect'), over]);
    for (const part of parts) {
      if (socket.destroyed) break;
      socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (abort === undefined) await over;
    else if (abort === 'end') socket.end();
    else if (!socket.destroyed) socket.resetAndDestroy();
  } catch {
    // The gateway may close whenever it likes.
  }
  socket.destroy();
  return { text: text(), silent };
}

export interface Answered {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends a request that is as it should be, and waits for its answer. */
export async function ask(port: number, request: Uint8Array): Promise<Answered> {
  const { text } = await write(port, {
    parts: [request],
    abort: undefined,
    answers: 1,
    complete: true,
  });
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body: rest.join('\r\n\r\n') };
}

/** How many complete answers there are, as far as that can be told without the requests. */
export function answersIn(text: string): number {
  let count = 0;
  let at = 0;
  for (;;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end === -1) return count;
    const head = text.slice(at, end);
    const body = bodyEnd(text, end + 4, head);
    if (body === undefined) return count;
    if (!/^HTTP\/1\.1 1\d\d/.test(head)) count += 1;
    at = body;
  }
}

/** The heads of all answers. */
export function headsIn(text: string): string[] {
  const heads: string[] = [];
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end === -1) return heads;
    const head = text.slice(at, end);
    if (!head.startsWith('HTTP/1.1 ')) return heads;
    heads.push(head);
    const body = bodyEnd(text, end + 4, head);
    if (body === undefined) return heads;
    at = body;
  }
}

function bodyEnd(text: string, start: number, head: string): number | undefined {
  if (/^HTTP\/1\.1 (?:1\d\d|204|304)/.test(head)) return start;
  // A stream stays open: its first event is enough.
  if (/\r\ncontent-type: text\/event-stream/i.test(head))
    return text.includes('\n\n', start) ? text.length : undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = start + Number(length);
    return end <= text.length ? end : undefined;
  }
  const last = text.indexOf('0\r\n\r\n', start);
  return /\r\ntransfer-encoding: chunked/i.test(head) && last !== -1 ? last + 5 : undefined;
}
