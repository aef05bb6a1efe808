import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';

/** A request as node:http hands it on, without a network. */
export interface Received {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The client's end of the connection. */
  readonly client: Duplex;
  /** Sends a part of the body; resolves when the server has had the time to read it. */
  send(part: string | Uint8Array): Promise<void>;
  /** The connection is gone. */
  leave(): void;
}

/** The request whose head these lines are, as soon as it is parsed; `first` is sent in one piece with the head. */
export async function received(
  lines: readonly string[],
  first: string | Uint8Array = '',
): Promise<Received> {
  const server = http.createServer();
  const [client, connection] = duplexPair();
  server.emit('connection', connection);
  const requested = once(server, 'request');
  const head = Buffer.from([...lines, '', ''].join('\r\n'));
  client.write(Buffer.concat([head, Buffer.from(first)]));
  client.resume();
  const [req, res] = (await requested) as [IncomingMessage, ServerResponse];
  return {
    req,
    res,
    client,
    async send(part) {
      client.write(Buffer.from(part));
      await new Promise((resolve) => setImmediate(resolve));
    },
    leave: () => void connection.destroy(),
  };
}

/** Everything that can still be read of the request. */
export async function restOf(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
