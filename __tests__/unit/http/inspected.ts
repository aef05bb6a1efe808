import type { ServerResponse } from 'node:http';
import { ResponseGate, SEND, type HeadVerdict } from '../../../src/http/response-gate.ts';
import { received } from './received.ts';

/** An answer whose body is read before it is sent. */
export interface Inspected {
  readonly res: ServerResponse;
  /** What was read of the body; `undefined` if it could not be. */
  readonly read: Promise<Buffer | undefined>;
  /** What the client has got so far. */
  readonly sent: () => string;
}

/** The answer to a request; of its body at most `maxBytes` are read. */
export async function inspected(maxBytes: number): Promise<Inspected> {
  const { res, client } = await received(['GET /mcp HTTP/1.1', 'Host: x']);
  let text = '';
  client.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  const read = new Promise<Buffer | undefined>((resolve) => {
    const note = (body: Buffer | undefined): Promise<typeof SEND> => {
      resolve(body);
      return Promise.resolve(SEND);
    };
    gateOf(res, () => ({ kind: 'inspect', of: { maxBytes }, read: note }));
  });
  return { res, read, sent: () => text };
}

function gateOf(res: ServerResponse, onHead: () => HeadVerdict): ResponseGate {
  return new ResponseGate(res, onHead, undefined);
}
