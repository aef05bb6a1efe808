import type { IncomingMessage } from 'node:http';
import { isObject } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { GATEWAY_HEADER, isOfOwnPage } from './same-origin.ts';
import type { StatusSource } from './status-source.ts';

/** Most bytes of the body of a request: it names a backend. */
const MOST_BYTES = 16_384;

export const BUTTONS: readonly string[] = ['drain', 'undrain'];

/** What the page is told of a button that was pressed. */
export interface Pressed {
  readonly status: number;
  readonly text: string;
}

const DONE: Pressed = Object.freeze({ status: 204, text: '' });

/** Does what a button says. */
export async function press(
  button: string,
  req: IncomingMessage & { readonly body?: unknown },
  { source, gateway }: { readonly source: StatusSource; readonly gateway: string },
): Promise<Pressed> {
  if (!isOfOwnPage(req)) {
    return {
      status: 403,
      text: 'This request does not come from the status page. A proxy in between has to pass Host on.',
    };
  }
  if (req.headers[GATEWAY_HEADER] !== gateway) {
    return {
      status: 409,
      text: 'Another gateway has answered than the one that is shown: open the page at the address of that gateway.',
    };
  }
  const url = urlIn(await bodyOf(req));
  if (url === undefined) return { status: 400, text: 'The body must be {"url":"<origin>"}.' };
  try {
    if (button === 'drain') source.drain(url);
    else source.undrain(url);
  } catch (error) {
    if (!(error instanceof SessionRoutingError)) throw error;
    return { status: 404, text: error.message };
  }
  const listed = source.backends().find((backend) => backend.url === url);
  if (button === 'undrain' && listed?.draining) {
    return {
      status: 409,
      text: `${url} is draining because the list of backends says so: change it there.`,
    };
  }
  return DONE;
}

/** The text of the body, whether a parser has read it or not; `undefined`: it cannot be had. */
async function bodyOf(req: IncomingMessage & { readonly body?: unknown }): Promise<unknown> {
  // A parser that has not read it may have left an empty object.
  if (req.readableEnded) return Buffer.isBuffer(req.body) ? req.body.toString() : req.body;
  const chunks: Buffer[] = [];
  let size = 0;
  // Where it is too long the rest is not read, and the answer still gets through.
  const chunked = req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of chunked) {
    size += chunk.length;
    if (size > MOST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function urlIn(body: unknown): string | undefined {
  try {
    const read: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    const url: unknown = isObject(read) ? Reflect.get(read, 'url') : undefined;
    return typeof url === 'string' ? url : undefined;
  } catch {
    return undefined;
  }
}
