import type { ServerResponse } from 'node:http';

/** Headers as they were given to `writeHead`. */
export type HeaderPairs = readonly (readonly [name: string, value: string | string[]])[];

/** The headers given to `writeHead`: an object, [name, value, name, value], or [[name, value], [name, value]]. */
export function headersOf(args: unknown[]): HeaderPairs | undefined {
  const headers = typeof args[1] === 'string' ? args[2] : (args[1] ?? args[2]);
  if (typeof headers !== 'object' || headers === null) return undefined;
  if (!Array.isArray(headers)) return Object.entries(headers);
  const flat: (string | string[])[] = Array.isArray(headers[0]) ? headers.flat() : headers;
  return Array.from({ length: Math.floor(flat.length / 2) }, (_, pair) => [
    String(flat[pair * 2]),
    flat[pair * 2 + 1] ?? '',
  ]);
}

/** The head of an answer that is about to be sent: what was set before, and what is given to `writeHead`. */
export class HeadView {
  readonly #res: ServerResponse;
  #args: unknown[] | undefined;
  #given: HeaderPairs | undefined;

  constructor(
    res: ServerResponse,
    method: string,
    args: unknown[],
    given: HeaderPairs | undefined,
  ) {
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
    let found: string | undefined;
    for (const [key, value] of this.#given ?? []) {
      // Most are told apart by their length.
      if (key.length !== name.length || key.toLowerCase() !== name) continue;
      // What has no types may give a number.
      const text = [value].flat().join(', ');
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
function applyHead(res: ServerResponse, args: unknown[], given: HeaderPairs | undefined): void {
  if (typeof args[0] === 'number') res.statusCode = args[0];
  args.length = typeof args[1] === 'string' ? 2 : 1;
  const names = new Set<string>();
  for (const [name, value] of given ?? []) {
    const key = name.toLowerCase();
    // A name that is given twice is sent twice; one that was set before is replaced.
    if (names.has(key)) res.appendHeader(name, value);
    else if (value !== undefined) res.setHeader(name, value);
    names.add(key);
  }
}
