import { EventEmitter, once } from 'node:events';
import net, { type Socket } from 'node:net';
import { onCleanup } from './cleanup.ts';

/** A connection on which a test writes bytes of its own. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything received so far, byte for byte. */
  readonly bytes: Buffer;
  /** The same as latin1, which keeps every byte apart. */
  readonly text: string;
  write(bytes: string | Uint8Array): void;
  /** Says that nothing more will be written (FIN). */
  finish(): void;
  /** Leaves without a word (RST). */
  reset(): void;
  /** Resolves with the text once it contains, or matches, what is looked for; rejects if the connection is closed before. */
  until(wanted: string | RegExp): Promise<string>;
  /** Resolves when the other side has closed the connection: `end` if it said so, `error` if it broke off. */
  readonly closed: Promise<'end' | 'error'>;
}

/** Connects to the server of a URL. The socket is destroyed after the test. */
export async function rawConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  onCleanup(() => socket.destroy());
  await once(socket, 'connect');
  const changed = new EventEmitter();
  const chunks: Buffer[] = [];
  let over = false;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    changed.emit('change');
  });
  const closed = new Promise<'end' | 'error'>((resolve) => {
    socket.once('end', () => resolve('end'));
    socket.once('error', () => resolve('error'));
    socket.once('close', () => resolve('error'));
  });
  void closed.then(() => {
    over = true;
    changed.emit('change');
  });
  const received = (): string => Buffer.concat(chunks).toString('latin1');
  return {
    socket,
    closed,
    get bytes() {
      return Buffer.concat(chunks);
    },
    get text() {
      return received();
    },
    write: (bytes) => void socket.write(bytes),
    finish: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    async until(wanted) {
      for (;;) {
        const text = received();
        if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) return text;
        if (over) throw new Error(`closed before ${String(wanted)} came; received: ${text}`);
        await once(changed, 'change');
      }
    },
  };
}

/**
 * Sends the bytes on a connection of their own; resolves with all that came back, once the server has closed it
 * (so ask for that with `Connection: close`).
 */
export async function rawHttp(url: string, bytes: string | Uint8Array): Promise<string> {
  const connection = await rawConnection(url);
  connection.write(bytes);
  await connection.closed;
  return connection.text;
}

/** The bytes of a request: head lines joined by CRLF, `Content-Length` and `Host` added unless they are given. */
export function rawRequest(
  line: string,
  headers: readonly string[] = [],
  body: string | Uint8Array = '',
): Buffer {
  const has = (name: string): boolean =>
    headers.some((header) => header.toLowerCase().startsWith(`${name}:`));
  const bytes = Buffer.from(body);
  const added = [
    ...(has('host') ? [] : ['Host: gateway']),
    ...(bytes.length === 0 || has('content-length') || has('transfer-encoding')
      ? []
      : [`Content-Length: ${bytes.length}`]),
  ];
  const head = [`${line} HTTP/1.1`, ...added, ...headers, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

/** A body in chunked coding, one chunk for each part. */
export function chunked(...parts: readonly (string | Uint8Array)[]): Buffer {
  const chunks = parts.map((part) => {
    const bytes = Buffer.from(part);
    return [`${bytes.length.toString(16)}\r\n`, bytes, '\r\n'];
  });
  const pieces = [...chunks.flat(), '0\r\n\r\n'];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

/** Splits an answer into status, headers (names in lower case, as pairs) and the body's bytes, chunked or not. */
export function parseRaw(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((each): [string, string] => {
    const colon = each.indexOf(':');
    return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()];
  });
  const rest = text.slice(end + 4);
  const isChunked = headers.some(
    ([name, value]) => name === 'transfer-encoding' && value === 'chunked',
  );
  const header = (name: string): string | undefined =>
    headers.find(([each]) => each === name.toLowerCase())?.[1];
  return {
    status: Number(line.split(' ')[1]),
    headers,
    header,
    body: isChunked ? unchunk(rest) : rest,
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: readonly [name: string, value: string][];
  header(name: string): string | undefined;
  readonly body: string;
}

function unchunk(text: string): string {
  let body = '';
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (lineEnd === -1 || !(size > 0)) return body;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
