import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Free sockets are closed before the backend closes them: Node's servers do after 5 s (ms). */
export const IDLE_TIMEOUT = 4000;
/** How much earlier than the backend has announced (ms). */
export const MARGIN = 1000;

const announced = new WeakMap<object, number>();

/** Remembers for how long the backend keeps the connection, before `Keep-Alive` is taken off its answer. */
export function noteKeepAlive(socket: object, header: string | undefined): void {
  if (header === undefined) return;
  const seconds = /(?:^|[\s,;])timeout=(\d+)/i.exec(header)?.[1];
  if (seconds !== undefined) announced.set(socket, Number(seconds) * 1000);
}

/** Sets the time of a socket that is free now; `false`: the backend closes it too soon to be used again. */
export function startIdle(socket: Duplex): boolean {
  const idle = Math.min(IDLE_TIMEOUT, (announced.get(socket) ?? Infinity) - MARGIN);
  if (idle <= 0 || !(socket instanceof Socket)) return false;
  socket.setTimeout(idle);
  return true;
}

/** A socket in use may be quiet for as long as its tool runs. */
export function endIdle(socket: Duplex): void {
  if (socket instanceof Socket) socket.setTimeout(0);
}
