import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Method } from './gated-response.ts';
import { withoutHopByHop } from './hop-by-hop.ts';

/** Makes a call of the response itself, past all that stands before it. */
type Call = (method: Method, args: unknown[]) => unknown;

/** Sends the answer of a backend to the client, byte for byte and with back-pressure. */
export function relay(answer: IncomingMessage, res: ServerResponse, call: Call): void {
  // Once the header of the answer before was removed node:http does not chunk on its own: the end would be that of
  // the connection, which a stream that is cut has too (D5).
  const chunks = res.req.httpVersion !== '1.0';
  for (const [name, value] of Object.entries(withoutHopByHop(answer.headers))) {
    if (value !== undefined && (chunks || name !== 'transfer-encoding')) res.setHeader(name, value);
  }
  call('writeHead', [answer.statusCode ?? 502]);
  call('flushHeaders', []);
  answer.on('data', (chunk: Buffer) => {
    if (call('write', [chunk]) === false) answer.pause();
  });
  res.on('drain', () => answer.resume());
  answer.once('end', () => call('end', []));
  answer.on('error', () => {});
  // What breaks off must not look like the end.
  answer.once('close', () => answer.complete || res.destroy());
  res.once('close', () => answer.destroy());
}
