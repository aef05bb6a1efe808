import type { Cluster, Redis } from 'ioredis';
import { recommendedRedisOptions } from '../../store/redis-options.ts';
import type { RedisSettings } from './read-redis.ts';

/** The client; ioredis, an optional peer, is loaded here and nowhere else. */
export async function connectRedis(settings: RedisSettings): Promise<Redis | Cluster> {
  const { Cluster, Redis } = await loadClient(settings.name);
  const options = {
    ...recommendedRedisOptions,
    ...(settings.password !== undefined && { password: settings.password }),
  };
  switch (settings.kind) {
    case 'server':
      return new Redis(settings.url, options);
    case 'sentinels':
      return new Redis({
        ...options,
        sentinels: [...settings.sentinels],
        name: settings.master,
      });
    case 'cluster':
      return new Cluster([...settings.nodes], {
        redisOptions: options,
        enableOfflineQueue: false,
        clusterRetryStrategy: recommendedRedisOptions.retryStrategy,
        maxRedirections: 5,
        slotsRefreshInterval: 5000,
      });
  }
}

async function loadClient(
  name: string,
): Promise<Pick<typeof import('ioredis'), 'Cluster' | 'Redis'>> {
  try {
    return await import('ioredis');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes("'ioredis'")) throw error;
    throw new Error(
      `${name} needs the package ioredis, which is not there: npm install ioredis, or ` +
        'npx -p mcp-session-routing -p ioredis mcp-session-routing gateway ...',
      { cause: error },
    );
  }
}

/** Says when Redis does not answer, and when it does again. */
export function watched<Client extends Redis | Cluster>(
  redis: Client,
  warn: (text: string) => void,
): Client {
  let down = false;
  redis.on('error', (error: NodeJS.ErrnoException & { command?: { name: string } }) => {
    if (error.command?.name === 'select') {
      // The client goes on all the same.
      warn(`redis: ${error.message}; sessions are kept in database 0`);
      return;
    }
    if (!down) warn(`redis: ${error.code ?? error.message}`);
    down = true;
  });
  redis.on('ready', () => {
    if (down) warn('redis answers again');
    down = false;
  });
  return redis;
}
