import { promises as dns } from 'node:dns';
import { isIPv4, isIPv6 } from 'node:net';
import { isObject, shown } from '../given.ts';
import { NoAnswer, withDeadline } from '../store/deadline.ts';
import { originOf } from './origin.ts';

/** What {@link dnsBackends} asks; `dns.promises.Resolver` of Node is one. */
export interface DnsResolver {
  /** The A records of a name; rejects with the code `ENOTFOUND` or `ENODATA` if there are none. */
  resolve4(name: string): Promise<readonly string[]>;
  /** The AAAA records of a name; rejects with the code `ENOTFOUND` or `ENODATA` if there are none. */
  resolve6(name: string): Promise<readonly string[]>;
  /** The SRV records of a name; rejects with the code `ENOTFOUND` or `ENODATA` if there are none. */
  resolveSrv(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>;
}

export interface DnsQuestion {
  readonly protocol: string;
  /** Fully qualified: search domains are applied by `dns.lookup` only. */
  readonly host: string;
  /** `:8080`, or nothing for the usual port of the protocol. */
  readonly port: string;
  /** `_mcp._tcp`; left out: the addresses of the host. */
  readonly srv: string | undefined;
}

interface Answer<T> {
  readonly records: readonly T[];
  /** Not even the name exists (NXDOMAIN). */
  readonly noName: boolean;
}

/** Milliseconds within which a question ends, whatever the bounds of the resolver are. */
const LONGEST_QUESTION = 2000;

/**
 * The origins that DNS names now, sorted, each once. Rejects unless everything that was asked was answered, and
 * something was found: a list that is too short would end the sessions of those it leaves out.
 */
export async function ask(question: DnsQuestion, resolver?: DnsResolver): Promise<string[]> {
  if (resolver) return answerOf(question, resolver);
  // A new one each time: it reads resolv.conf anew, and giving it up ends no other question. It waits 400 ms
  // for a server, twice, and so has asked three of them before the time is over.
  const own = new dns.Resolver({ timeout: 400, tries: 2 });
  try {
    return await answerOf(question, own);
  } finally {
    own.cancel();
  }
}

async function answerOf(question: DnsQuestion, resolver: DnsResolver): Promise<string[]> {
  const found = question.srv === undefined ? byAddress : byName;
  try {
    const origins = await withDeadline(() => found(question, resolver), LONGEST_QUESTION);
    return [...new Set(origins)].toSorted();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw failure(`${question.host}: ${error.message}`, error);
  }
}

async function byAddress(question: DnsQuestion, resolver: DnsResolver): Promise<string[]> {
  const { protocol, host, port } = question;
  const [four, six] = await Promise.all([
    answered(`A records of ${host}`, () => resolver.resolve4(host)),
    answered(`AAAA records of ${host}`, () => resolver.resolve6(host)),
  ]);
  const addresses: readonly string[] = [...four.records, ...six.records];
  if (addresses.length === 0) throw nothing(host, 'A or AAAA', four.noName && six.noName);
  return addresses.map((address) => {
    const name = isIPv6(address) ? `[${address}]` : address;
    const origin = originOf(`${protocol}//${name}${port}`);
    if ((isIPv4(address) || isIPv6(address)) && origin !== undefined) return origin;
    throw failure(`${host} has the address ${shown(address)}, which is none`);
  });
}

async function byName(question: DnsQuestion, resolver: DnsResolver): Promise<string[]> {
  const { protocol } = question;
  const host = `${question.srv}.${question.host}`;
  const answer = await answered(`SRV records of ${host}`, () => resolver.resolveSrv(host));
  // RFC 2782: the target "." says that there is no such service here.
  const services = answer.records.filter(({ name }) => name !== '' && name !== '.');
  if (services.length === 0) throw nothing(host, 'SRV', answer.noName);
  return services.map(({ name, port }) => {
    const target = name.replace(/\.$/, '').toLowerCase();
    const origin = originOf(`${protocol}//${target}:${port}`);
    // What is no host name may still be a URL, of another host: `evil/.mcp-0`.
    if (origin !== undefined && port > 0 && new URL(origin).hostname === target) return origin;
    throw failure(`${host} has a record that is no origin: ${shown(`${name}:${port}`)}`);
  });
}

/** That there are none is an answer too; all else is not. */
async function answered<T>(
  what: string,
  question: () => Promise<readonly T[]>,
): Promise<Answer<T>> {
  try {
    const records: unknown = await question();
    if (Array.isArray(records)) return { records, noName: false };
    throw new TypeError(`the resolver answered ${shown(records)}, which is no list`);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOTFOUND' || code === 'ENODATA')
      return { records: [], noName: code === 'ENOTFOUND' };
    throw failure(`the ${what} could not be read (${code})`, error);
  }
}

/** Not by `instanceof`, which knows only the errors of this realm. */
function codeOf(error: unknown): string {
  if (!isObject(error)) return shown(error);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'message' in error && typeof error.message === 'string' ? error.message : shown(error);
}

function nothing(name: string, type: string, noName: boolean): Error {
  return noName
    ? failure(
        `${name} does not exist (NXDOMAIN): give the fully qualified name, search domains are not applied`,
      )
    : failure(`${name} has no ${type} records`);
}

function failure(problem: string, cause?: unknown): Error {
  return new Error(`dnsBackends: ${problem}`, { cause });
}
