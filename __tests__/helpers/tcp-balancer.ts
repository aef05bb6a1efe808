import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { onCleanup } from './cleanup.ts';

/** A load balancer for connections, such as stands in front of any two gateways. */
export interface TcpBalancer {
  readonly port: number;
  add(port: number): void;
  /**
   * New connections go elsewhere from now on; those that are open stay. Resolves when each of them was answered once:
   * what a server has not accepted yet is reset when it stops, so real balancers wait for some seconds.
   */
  remove(port: number): Promise<void>;
}

export async function tcpBalancer(...ports: readonly number[]): Promise<TcpBalancer> {
  const targets = [...ports];
  const unanswered = new Map<number, Set<Promise<unknown>>>();
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    turn += 1;
    const port = targets[turn % targets.length];
    if (port === undefined) return void client.destroy();
    const target = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    join(client, target);
    for (const socket of [client, target]) sockets.add(socket);
    const waiting = unanswered.get(port) ?? new Set();
    unanswered.set(port, waiting);
    const answered = Promise.race([once(target, 'data'), once(target, 'close')]).catch(() => {});
    waiting.add(answered);
    void answered.then(() => waiting.delete(answered));
  });
  server.listen(0, '127.0.0.1', 1024);
  await once(server, 'listening');
  onCleanup(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    add: (port) => void targets.push(port),
    async remove(port) {
      targets.splice(targets.indexOf(port), 1);
      await Promise.all([...(unanswered.get(port) ?? [])]);
    },
  };
}

function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroySoon());
  }
}
