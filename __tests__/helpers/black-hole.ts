import { once } from 'node:events';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { onCleanup } from './cleanup.ts';

// Listens, and then stops its event loop for ever: nothing accepts a connection.
const LISTENER = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});`;

/**
 * The origin of a server that neither accepts nor refuses connections: its queue is full, and stays so. On the
 * loopback interface the queue is full as soon as more connections were asked for than it takes.
 */
export async function blackHole(): Promise<string> {
  const worker = new Worker(LISTENER, { eval: true });
  onCleanup(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  const fillers = Array.from({ length: 16 }, () => net.connect(port, '127.0.0.1'));
  onCleanup(() => {
    for (const filler of fillers) filler.destroy();
  });
  for (const filler of fillers) filler.on('error', () => {});
  await Promise.race(fillers.map((filler) => once(filler, 'connect')));
  return `http://127.0.0.1:${port}`;
}
