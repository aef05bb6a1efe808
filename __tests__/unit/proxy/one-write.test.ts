import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { SHORT, writeAsOne } from '../../../src/proxy/one-write.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import { listen } from '../../helpers/listen.ts';

/** A socket, and all that the other side has received when it is ended. */
async function connected(): Promise<{ socket: Socket; received: Promise<Buffer> }> {
  let resolve: (bytes: Buffer) => void;
  const received = new Promise<Buffer>((resolved) => {
    resolve = resolved;
  });
  const server = net.createServer((peer) => {
    const parts: Buffer[] = [];
    peer.on('data', (part: Buffer) => parts.push(part));
    peer.on('end', () => resolve(Buffer.concat(parts)));
  });
  const { port } = await listen(server);
  onCleanup(() => server.close());
  const socket = net.connect(port, '127.0.0.1');
  onCleanup(() => socket.destroy());
  await once(socket, 'connect');
  return { socket, received };
}

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, at) => at));

test.each<[string, number, (socket: Socket) => void]>([
  [
    'a head and a short body',
    1,
    (socket) => {
      socket.write('head\r\n', 'latin1');
      socket.write(EVERY_BYTE);
    },
  ],
  [
    'a head and a long body',
    0,
    (socket) => {
      socket.write('head\r\n', 'latin1');
      socket.write(Buffer.alloc(SHORT, 7));
    },
  ],
  [
    'a long head',
    0,
    (socket) => {
      socket.write('h'.repeat(SHORT + 1), 'latin1');
      socket.write(EVERY_BYTE);
    },
  ],
  [
    'text of another encoding',
    0,
    (socket) => {
      socket.write('zw\u00f6lf \u{1f98a}', 'utf8');
      socket.write(EVERY_BYTE);
    },
  ],
])('%s arrive byte for byte, as one string: %d times', async (_what, times, write) => {
  const plain = await connected();
  const asOne = await connected();
  writeAsOne(asOne.socket);
  let strings = 0;
  const writeOne = asOne.socket._write.bind(asOne.socket);
  asOne.socket._write = (...args): void => {
    strings += 1;
    writeOne(...args);
  };
  for (const { socket } of [plain, asOne]) {
    socket.cork();
    write(socket);
    socket.uncork();
    socket.end();
  }
  expect((await asOne.received).equals(await plain.received)).toBe(true);
  expect(strings).toBe(times);
});
