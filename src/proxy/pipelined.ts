import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const queued = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * node:http tells a response that its client has left only once it is that response's turn on the connection.
 * Those pipelined behind another one are told here, or their backends would go on for ever.
 */
export function closeWithConnection(req: IncomingMessage, res: ServerResponse): void {
  if (res.socket || res.destroyed) return;
  const { socket } = req;
  const waiting = queued.get(socket) ?? new Set();
  if (!queued.has(socket)) {
    queued.set(socket, waiting);
    socket.once('close', () => waiting.forEach(close));
  }
  waiting.add(res);
  res.once('close', () => waiting.delete(res));
}

function close(res: ServerResponse): void {
  if (res.socket || res.destroyed) return;
  res.destroy();
  res.emit('close');
}
