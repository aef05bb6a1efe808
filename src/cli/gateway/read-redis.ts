import { isSetAside, oneOf, shown, type Given, type Givens } from '../given.ts';
import { addressIn, type Address } from '../read-value.ts';
import { UsageError } from '../usage-error.ts';
import type { SettingName } from './settings-table.ts';

/** `name` is what they were read from, for messages. */
export type RedisSettings = { readonly name: string; readonly password?: string } & (
  | { readonly kind: 'server'; readonly url: string }
  | { readonly kind: 'sentinels'; readonly sentinels: readonly Address[]; readonly master: string }
  | { readonly kind: 'cluster'; readonly nodes: readonly Address[] }
);

/** Where sessions are kept; `undefined`: in memory. @throws {UsageError} */
export function readRedis(givens: Givens<SettingName>): RedisSettings | undefined {
  const found = oneOf(
    givens,
    ['redis', 'redisSentinels', 'redisCluster'],
    'give the one that leads to your Redis',
  );
  const { redisMasterName, redisPassword, storeSecret } = givens;
  const isStray = found?.key !== 'redisSentinels';
  if (redisMasterName && isStray && !isSetAside(redisMasterName, found?.given)) {
    throw new UsageError(
      `${shown(redisMasterName)} needs Sentinels that know it: give --redis-sentinels too`,
    );
  }
  if (!found) {
    const stray = redisPassword ?? storeSecret;
    if (!stray) return undefined;
    throw new UsageError(`${stray.name} needs a Redis: give --redis too`);
  }
  const { key, given } = found;
  const { name } = given;
  const password = redisPassword?.values[0];
  const common = { name, ...(password !== undefined && { password }) };
  if (key === 'redis') return { ...common, kind: 'server', url: readUrl(given, redisPassword) };
  if (key === 'redisCluster') return { ...common, kind: 'cluster', nodes: readAll(given, 6379) };
  const master = redisMasterName?.values[0] ?? 'mymaster';
  return { ...common, kind: 'sentinels', sentinels: readAll(given, 26_379), master };
}

/** The value is not repeated: it may hold a password. */
function readUrl(given: Given, password: Given | undefined): string {
  const { name } = given;
  const [url = ''] = given.values;
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw new UsageError(`${name} is not a Redis URL: give one such as redis://localhost:6379`);
  }
  if (new URL(url).hostname === '' || !isDecodable(url)) {
    throw new UsageError(
      `${name} cannot be read: give one such as redis://localhost:6379, with a "%" of its password as %25`,
    );
  }
  if (password && new URL(url).password !== '' && !isSetAside(password, given)) {
    throw new UsageError(
      `${name} and ${password.name} both give a password: take the one out of the URL`,
    );
  }
  return url;
}

/** Whether name and password are percent-encoded as they should be. */
function isDecodable(url: string): boolean {
  const { username, password, pathname } = new URL(url);
  try {
    decodeURIComponent(username + password);
    return /^\/?\d*$/.test(pathname);
  } catch {
    return false;
  }
}

function readAll(given: Given, usualPort: number): Address[] {
  // A comma in a password has made two of it: none is repeated if one looks as if it held one.
  if (given.values.some((value) => /[@/]/.test(value))) {
    throw new UsageError(
      `${given.name} takes no URLs: give host:port, the password as REDIS_PASSWORD; TLS there is with --redis only`,
    );
  }
  return given.values.map((value) => readAddress(given, value, usualPort));
}

function readAddress(given: Given, value: string, usualPort: number): Address {
  const address = addressIn(value);
  if (address) return address;
  throw new UsageError(
    `${shown(given, value)} is no address: give one such as redis-0:${usualPort}`,
  );
}
