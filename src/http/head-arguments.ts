import type { ServerResponse } from 'node:http';

/** Headers as they were given to `writeHead`: [name, value, name, value]. */
export type HeaderList = readonly (string | string[] | undefined)[];

/** The headers given to `writeHead`: an object, [name, value, name, value], or [[name, value], [name, value]]. */
export function headersOf(args: unknown[]): HeaderList | undefined {
  const headers = typeof args[1] === 'string' ? args[2] : (args[1] ?? args[2]);
  if (typeof headers !== 'object' || headers === null) return undefined;
  if (!Array.isArray(headers)) return Object.entries(headers).flat();
  return Array.isArray(headers[0]) ? headers.flat() : headers;
}

/** The head of an answer that is about to be sent: what was set before, and what is given to `writeHead`. */
export class HeadView {
  readonly #res: ServerResponse;
  #args: unknown[] | undefined;
  #given: HeaderList | undefined;

  constructor(res: ServerResponse, method: string, args: unknown[], given: HeaderList | undefined) {
    this.#res = res;
    this.#args = method === 'writeHead' ? args : undefined;
    this.#given = given;
  }

  get status(): number {
    const status = this.#args?.[0];
    return typeof status === 'number' ? status : this.#res.statusCode;
  }

  /** The value of a header (lower case); a list where it is there several times. */
  get(name: string): string | undefined {
    const given = this.#given ?? [];
    let found: string | undefined;
    for (let at = 0; at < given.length; at += 2) {
      if (!isNamed(given[at], name)) continue;
      const value = given[at + 1];
      // What has no types may give a number.
      const text = typeof value === 'string' ? value : [value].flat().join(', ');
      found = found === undefined ? text : `${found}, ${text}`;
    }
    if (found !== undefined) return found;
    const set = this.#res.getHeader(name);
    return Array.isArray(set) ? set.join(', ') : set?.toString();
  }

  remove(name: string): void {
    this.settle();
    this.#res.removeHeader(name);
  }

  set(name: string, value: string): void {
    this.settle();
    this.#res.setHeader(name, value);
  }

  /** Puts all where the response itself knows it, and takes it off what is given: most answers pass as they are. */
  settle(): void {
    if (this.#args) applyHead(this.#res, this.#args, this.#given);
    this.#args = undefined;
    this.#given = undefined;
  }
}

/** Puts what is given to `writeHead` where it can be read and removed, and leaves the rest in `args`. */
function applyHead(res: ServerResponse, args: unknown[], given: HeaderList = []): void {
  if (typeof args[0] === 'number') res.statusCode = args[0];
  args.length = typeof args[1] === 'string' ? 2 : 1;
  const names = new Set<string>();
  for (let at = 0; at < given.length; at += 2) {
    const name = String(given[at]);
    const value = given[at + 1];
    if (value === undefined) continue;
    const key = name.toLowerCase();
    // A name that is given twice is sent twice; one that was set before is replaced.
    if (names.has(key)) res.appendHeader(name, value);
    else res.setHeader(name, value);
    names.add(key);
  }
}

/** Most names are told apart by their length. */
function isNamed(given: HeaderList[number], name: string): boolean {
  return given?.length === name.length && String(given).toLowerCase() === name;
}

/** Whether one of them has this name (lower case). */
export function haveHeader(list: HeaderList | undefined, name: string): boolean {
  return list?.some((given, at) => at % 2 === 0 && isNamed(given, name)) ?? false;
}
