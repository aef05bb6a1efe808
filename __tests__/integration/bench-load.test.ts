import net, { type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { Connection } from '../../bench/lib/load.ts';
import { onCleanup } from '../helpers/cleanup.ts';
import { listen } from '../helpers/listen.ts';

async function serving(onConnection: (socket: Socket) => void): Promise<string> {
  const server = await listen(net.createServer(onConnection));
  onCleanup(() => server.close());
  return server.origin;
}

test('the load waits for the whole answer, and connects anew where it was told that the connection closes', async () => {
  let connections = 0;
  const head = 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n';
  const url = await serving((socket) => {
    connections += 1;
    socket.once('data', () => {
      socket.write(`${head}connection: close\r\n\r\nbo`);
      socket.write('dy');
    });
  });
  const connection = new Connection(url);
  for (let times = 0; times < 2; times += 1)
    expect((await connection.ask('GET / HTTP/1.1\r\n\r\n')).status).toBe(200);
  expect(connections).toBe(2);
  connection.close();
});

test('the load fails where an answer is cut', async () => {
  const url = await serving((socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbo')),
  );
  await expect(new Connection(url).ask('GET / HTTP/1.1\r\n\r\n')).rejects.toThrow('closed');
});
