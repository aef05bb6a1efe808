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

/** Puts what is given to `writeHead` where it can be read and removed, and leaves the rest in `args`. */
export function applyHead(
  res: ServerResponse,
  args: unknown[],
  given: HeaderPairs | undefined,
): void {
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
