import type { Child } from './e2e-children.ts';

let asked = 0;

/** What a gateway that was started with `fixtures/faults/tell-memory.ts` has on its heap, after a collection (bytes). */
export async function heapOf(child: Child): Promise<number> {
  asked += 1;
  process.kill(child.pid, 'SIGUSR2');
  return Number(await child.printed(new RegExp(`^heap ${asked}: (\\d+)$`, 'm')));
}
