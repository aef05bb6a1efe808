import type { Socket } from 'node:net';
import { keyOf } from '../routing/keys.ts';

/** On the socket itself, and no longer than it: an id is kept nowhere else. */
const LAST: unique symbol = Symbol('mcp-session-routing last session');

interface Named {
  readonly id: string;
  readonly key: string;
}

/**
 * The key of a session that a request on this connection names. A client asks for one session again and again, and
 * to hash its id each time would cost more than to look the session up.
 */
export function keyOnConnection(socket: Socket & { [LAST]?: Named }, id: string): string {
  const last = socket[LAST];
  if (last?.id === id) return last.key;
  const key = keyOf(id);
  socket[LAST] = { id, key };
  return key;
}
