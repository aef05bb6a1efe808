import { shown, strayOf } from './given.ts';
import { SessionRoutingError } from './protocol/errors.ts';

/** Left out and `undefined` are the same. */
export function defined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

export function known(prefix: string, options: object, names: readonly string[]): void {
  const stray = strayOf(options, names);
  if (stray) throw invalid(prefix + stray.name, undefined, stray.remedy);
}

export function functions(prefix: string, options: object, names: readonly string[]): void {
  for (const name of names) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined && typeof value !== 'function')
      throw invalid(prefix + name, value, 'must be a function');
  }
}

export function positive(
  name: string,
  value: unknown,
  most: number = Infinity,
  mostShown: string = `${most}`,
): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0)
    throw invalid(name, value, 'must be a number above 0');
  if (value > most) throw invalid(name, value, `must be at most ${mostShown}`);
}

export function invalid(name: string, value: unknown, remedy: string): SessionRoutingError {
  const found = value === undefined ? '' : `: ${shown(value)}`;
  return new SessionRoutingError(
    'invalid_option',
    `mcpSessionRouting: option "${name}"${found} ${remedy}`,
  );
}
