import { didYouMean } from './did-you-mean.ts';

/** A Map takes no more, and so no cache. */
export const MOST_ENTRIES: number = 2 ** 24;

/** An object of named members: what options are. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as a message shows it; of what JSON cannot say (5n, a circular object) the type. */
export function shown(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value;
  }
}

/** The first name in the options that is not one of those known, and how a sentence about it ends. */
export function strayOf(
  options: object,
  names: readonly string[],
): { readonly name: string; readonly remedy: string } | undefined {
  const name = Object.keys(options).find((each) => !names.includes(each));
  return name === undefined
    ? undefined
    : { name, remedy: `is not an option${didYouMean(name, names)}` };
}
