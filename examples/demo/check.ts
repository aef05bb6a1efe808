/** An example checks what it shows: the first thing that is not so ends it with exit code 1. */
export function check(what: string, expected: unknown, got: unknown): void {
  const [wanted, found] = [JSON.stringify(expected), JSON.stringify(got)];
  if (wanted !== found) throw new Error(`${what}: expected ${wanted}, got ${found}`);
  console.log(`ok  ${what}`);
}
