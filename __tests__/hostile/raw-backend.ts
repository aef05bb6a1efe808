import { randomUUID } from 'node:crypto';
import net, { type Socket } from 'node:net';
import { onCleanup } from '../helpers/cleanup.ts';
import { listen, type Listening } from '../helpers/listen.ts';
import { type Message, readRequests } from './strict-http.ts';

/** Answers a request in place of the default: bytes that are written as they are, or whatever it does itself. */
export type RawAnswer = (request: Message, socket: Socket) => string | undefined;

/** A server that reads strictly, writes down all it was sent, and answers in any bytes. */
export interface RawBackend extends Omit<Listening, 'close'> {
  readonly name: string;
  /** `127.0.0.1:port` */
  readonly host: string;
  /** Asked once for each request; `undefined`: the default. */
  answer: RawAnswer | undefined;
  /** Every request since `forget`, whole or not. */
  arrivals(): Message[];
  /** What it was sent that a strict reader does not take for requests. */
  readonly errors: string[];
  forget(): void;
}

/** Tells the requests of a test's honest clients apart; it is answered in the body. */
export const NONCE = 'x-nonce';

export function headerOf({ headers }: Message, name: string): string | undefined {
  return headers.find(([each]) => each === name)?.[1];
}

/** Bytes of an answer with a length. */
export function rawAnswer(status: string, headers: readonly string[], body = ''): string {
  const head = [`HTTP/1.1 ${status}`, `Content-Length: ${body.length}`, ...headers, '', ''];
  return `${head.join('\r\n')}${body}`;
}

/** Starts a backend on a free port; it is stopped after the test. */
export async function rawBackend(name: string): Promise<RawBackend> {
  const connections = new Set<Connection>();
  let over: Message[] = [];
  const errors: string[] = [];
  const server = net.createServer((socket) => {
    socket.setNoDelay(true);
    const connection = new Connection();
    connections.add(connection);
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of connection.take(chunk)) {
          over.push(message);
          const bytes = backend.answer?.(message, socket) ?? behave(name, message);
          if (bytes !== '') socket.write(bytes, 'latin1');
        }
      } catch (error) {
        errors.push(String(error));
        socket.destroy();
      }
    });
    socket.on('close', () => {
      connections.delete(connection);
      over.push(...connection.unfinished);
    });
  });
  const listening = await listen(server);
  const backend: RawBackend = {
    ...listening,
    name,
    host: `127.0.0.1:${listening.port}`,
    answer: undefined,
    errors,
    arrivals: () => [...over, ...[...connections].flatMap(({ unfinished }) => unfinished)],
    forget() {
      over = [];
      errors.length = 0;
    },
  };
  onCleanup(() => listening.close());
  return backend;
}

/** What has come on one connection. */
class Connection {
  #text = '';
  /** A request of which there is more to come. */
  unfinished: readonly Message[] = [];

  /** The requests that are complete with this chunk. */
  take(chunk: Buffer): Message[] {
    this.#text += chunk.toString('latin1');
    const messages = readRequests(this.#text);
    this.unfinished = messages.filter(({ complete }) => !complete);
    // What is left is read once more with the next chunk.
    const whole = messages.filter(({ complete }) => complete);
    if (this.unfinished.length === 0) this.#text = '';
    else if (whole.length > 0) throw new Error('pipelined, which no proxy does');
    return whole;
  }
}

/** A stateful server: it opens sessions, keeps them whatever comes, and says who it is. */
function behave(name: string, request: Message): string {
  const { start, body } = request;
  if (start.startsWith('DELETE ')) return rawAnswer('405 Method Not Allowed', ['Allow: POST']);
  const opens = headerOf(request, 'mcp-session-id') === undefined && body.includes('"initialize"');
  const lines = opens ? [`Mcp-Session-Id: ${name}-${randomUUID()}`] : [];
  const text = JSON.stringify({ by: name, nonce: headerOf(request, NONCE) });
  const answer = rawAnswer('200 OK', ['Content-Type: application/json', ...lines], text);
  return start.startsWith('HEAD ') ? answer.slice(0, -text.length) : answer;
}
