import { isIP } from 'node:net';
import { isObject, shown, strayOf } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import type { BackendDiscovery } from './discovery.ts';
import { ask, type DnsQuestion, type DnsResolver } from './dns-question.ts';
import { checkBackend } from './origin.ts';

export interface DnsBackendsOptions {
  /**
   * Service and protocol of SRV records, `_mcp._tcp`: the backends are the targets and ports that
   * `_mcp._tcp.<host>` names. Their priorities and weights are not used: `balance` chooses.
   * @default none: the addresses of the host, at the port of the URL
   */
  readonly srv?: string;
  /** Milliseconds between two questions. @default 5000 */
  readonly refresh?: number;
  /** Who is asked. @default the name servers of the system, each list within 2 s */
  readonly resolver?: DnsResolver;
}

/** Longest time of `setTimeout`: with more it fires at once (ms). */
const LONGEST = 2 ** 31 - 1;
const METHODS = ['resolve4', 'resolve6', 'resolveSrv'] as const;

// RFC 2782, `_Service._Proto`: labels of letters, digits, "-" and "_", at most 63 long.
const SERVICE = /^_[a-z0-9_-]{1,62}\._[a-z0-9_-]{1,62}$/i;

/**
 * The backends that DNS names, asked again every `refresh` milliseconds. With `srv` they have names that stay
 * (`http://mcp-0.mcp.default.svc.cluster.local:8080`): the choice for a StatefulSet. Without it they are the
 * host's A and AAAA records: these cannot show that an address has changed hands, so the sessions of a pod that
 * is gone reach the pod that got its address, until that one answers that it does not know them.
 *
 * The name must be fully qualified, since search domains are not applied: `mcp.default.svc.cluster.local`, not
 * `mcp.default.svc`. An empty answer is a failure, as is one without an answer to each question: the backends
 * that were found last are kept.
 *
 * @throws {SessionRoutingError} `invalid_option`, with the remedy in the message
 * @example
 * backends: dnsBackends('http://mcp.default.svc.cluster.local', { srv: '_mcp._tcp' })
 */
export function dnsBackends(url: string | URL, options: DnsBackendsOptions = {}): BackendDiscovery {
  if (!isObject(options)) throw invalid('the options must be an object, such as { srv }');
  const stray = strayOf(options, ['srv', 'refresh', 'resolver']);
  if (stray) throw invalid(`option "${stray.name}" ${stray.remedy}`);
  const { srv, refresh = 5000, resolver } = options;
  if (typeof refresh !== 'number' || !Number.isFinite(refresh) || refresh <= 0)
    throw invalid(`option "refresh": ${shown(refresh)} must be a number above 0`);
  if (refresh > LONGEST)
    throw invalid(`option "refresh": ${shown(refresh)} must be at most ${LONGEST}`);
  if (resolver !== undefined) checkResolver(resolver);
  const question = questionOf(url, srv);
  return { refresh, list: () => ask(question, resolver) };
}

function questionOf(given: string | URL, srv: string | undefined): DnsQuestion {
  const { protocol, hostname: host, port } = new URL(checkBackend(given));
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0)
    throw invalid(
      `${host} is an address, which DNS has no records of; give it to "backends" itself`,
    );
  if (srv !== undefined) checkService(given, srv);
  else if (protocol === 'https:')
    throw invalid(
      `${shown(given)}: a certificate is for a name, and this gives addresses; ` +
        'use "srv", or give the names to "backends" itself',
    );
  return { protocol, host, port: port && `:${port}`, srv };
}

function checkService(given: string | URL, srv: unknown): void {
  if (typeof srv !== 'string' || !SERVICE.test(srv))
    throw invalid(`option "srv": ${shown(srv)} must be a service and its protocol, "_mcp._tcp"`);
  // The usual port (`http://mcp:80`) is not in the origin any more.
  const port = /:\d+(?=\/?$)/.exec(String(given).trim())?.[0];
  if (port !== undefined)
    throw invalid(
      `${shown(given)}: with "srv" the port comes from the records; leave out "${port}"`,
    );
}

function checkResolver(resolver: unknown): void {
  if (
    isObject(resolver) &&
    METHODS.every((name) => typeof Reflect.get(resolver, name) === 'function')
  )
    return;
  throw invalid(
    `option "resolver" must have ${METHODS.join(', ')}, such as new Resolver() of node:dns/promises`,
  );
}

function invalid(problem: string): SessionRoutingError {
  return new SessionRoutingError('invalid_option', `dnsBackends: ${problem}`);
}
