import { originOf } from './backends/origin.ts';
import { invalid } from './checks.ts';
import type { McpSessionRoutingOptions } from './options.ts';

/** Names that no other machine reaches this one by, or that come of a variable that is not set. */
const NOBODY = new Set([
  ...['0.0.0.0', '[::]', '[::ffff:0:0]', '*'],
  ...['undefined', 'null', 'nan', 'true', 'false'],
]);

interface Given extends Pick<McpSessionRoutingOptions, 'self' | 'balance'> {
  readonly recover?: unknown;
}
type Trust = Pick<McpSessionRoutingOptions, 'self' | 'backends' | 'secret'>;

/** Checks what a process says of itself. @throws {SessionRoutingError} `invalid_option` */
export function self(given: Given): void {
  if (!('self' in given)) return;
  if (given.self === undefined) {
    // As good as left out, it would go unnoticed that no request is forwarded.
    throw invalid(
      'self',
      undefined,
      'is undefined: is the variable set? Leave it out for a gateway',
    );
  }
  if (typeof given.self !== 'function') checkSelf(given.self);
  if (given.balance !== undefined)
    throw invalid(
      'balance',
      undefined,
      'has no use with "self": what comes to a replica opens there',
    );
  if (given.recover !== undefined && given.recover !== false)
    throw invalid(
      'recover',
      undefined,
      'needs a gateway in front of the servers: leave "self" out',
    );
}

/**
 * The origin of this process; a function is asked until it has returned one. Where others can write to the store it
 * has to be known which of its addresses requests may be sent to.
 * @throws {SessionRoutingError} `invalid_option`
 */
export function selfOf(
  { self: given, backends, secret }: Trust,
  shared: boolean,
): (() => string) | undefined {
  if (given === undefined) return undefined;
  if (shared && backends === undefined && secret === undefined)
    throw invalid(
      'self',
      undefined,
      'needs "backends", the replicas, or "secret": what is in the store could lead anywhere else',
    );
  let origin: string | undefined;
  return () => (origin ??= checkSelf(typeof given === 'function' ? given() : given));
}

function checkSelf(given: unknown): string {
  const origin = originOf(given);
  if (origin === undefined)
    throw invalid('self', given, 'must be an http or https origin such as "http://10.0.0.5:3000"');
  const url = new URL(given as string | URL);
  if (url.username !== '' || url.password !== '')
    throw invalid('self', origin, 'must not hold credentials');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw invalid('self', given, `must be an origin: requests keep their path; use "${origin}"`);
  if (NOBODY.has(url.hostname) || url.port === '0')
    throw invalid('self', given, 'must be where the other replicas reach this process');
  return origin;
}

/** What is told of a request that was forwarded here to reach `owner`. */
export function astray(owner: string): string {
  return `mcpSessionRouting: a request was forwarded here to reach ${owner}, which is not the "self" of this process: that of some replica is the address of another one, or of a load balancer`;
}
