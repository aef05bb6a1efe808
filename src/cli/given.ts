import { UsageError } from './usage-error.ts';

/** What can be said of a command on the command line or, where it has a variable, in the environment. */
export interface Setting {
  /** In the words of commander: `--port <number>`. */
  readonly flags: string;
  /** A flag wins over it. */
  readonly variable?: string;
  /** Heading in the help. */
  readonly group: string;
  readonly text: string;
  /** It may be given several times, and this stands between several in one value. */
  readonly separator?: ',' | '\n';
}

/** Something that was given, and where. */
export interface Given {
  /** `--port`, or `PORT`. */
  readonly name: string;
  readonly from: 'flag' | 'variable';
  readonly values: readonly string[];
}

export type Givens<Key extends string> = Readonly<Partial<Record<Key, Given>>>;

/** What commander has read: text, `true` for a flag without a value, a list for one that may be given several times. */
export type Flags = Readonly<Record<string, string | true | readonly string[]>>;

/** What was given of the settings. A variable that is empty is none; a flag that is empty is a mistake. */
export function givensOf<Key extends string>(
  settings: Readonly<Record<Key, Setting>>,
  flags: Flags,
  env: NodeJS.ProcessEnv,
): Givens<Key> {
  const all: Partial<Record<Key, Given>> = {};
  for (const [key, setting] of Object.entries<Setting>(settings)) {
    const given = fromFlag(setting, flags) ?? fromVariable(setting, env);
    if (given) all[key as Key] = given;
  }
  return all;
}

function fromFlag({ flags, separator }: Setting, given: Flags): Given | undefined {
  const name = nameOf(flags);
  const value = given[attributeOf(name)];
  if (value === undefined) return undefined;
  const texts = value === true ? ['true'] : [value].flat();
  const values = texts.flatMap((text) => split(text, separator));
  if (values.length === 0 || values.includes('')) {
    throw new UsageError(`${name} is empty: give a value, or leave it out`);
  }
  return { name, from: 'flag', values };
}

function fromVariable({ variable, separator }: Setting, env: NodeJS.ProcessEnv): Given | undefined {
  const text = variable === undefined ? undefined : env[variable];
  if (variable === undefined || !text) return undefined;
  const values = split(text, separator);
  if (values.length === 0) {
    throw new UsageError(`${variable} names nothing: give a value, or leave it empty`);
  }
  return { name: variable, from: 'variable', values };
}

function split(text: string, separator: string | undefined): string[] {
  if (separator === undefined) return [text];
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter(Boolean);
}

/** `--port` of `-p, --port <number>`. */
export function nameOf(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}

/** The name under which commander keeps the value of a flag. */
function attributeOf(name: string): string {
  return name.slice(2).replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** As whoever gave it has written it. */
export function shown({ name, from, values }: Given, value: string = values.join(',')): string {
  return from === 'flag' ? `${name} ${value}` : `${name}=${value}`;
}

/** Whether a flag that says something else of the same thing has put this variable aside. */
export function isSetAside({ from }: Given, by: Given | undefined): boolean {
  return from === 'variable' && by?.from === 'flag';
}

/** Reads a single value; `read` returns `undefined` for what cannot be, and `remedy` ends the sentence. */
export function valueOf<T>(
  given: Given | undefined,
  read: (text: string) => T | undefined,
  remedy: string,
): T | undefined {
  if (!given) return undefined;
  const value = read(given.values[0] ?? '');
  if (value === undefined) throw new UsageError(`${shown(given)} ${remedy}`);
  return value;
}

/**
 * The one that was given of several that exclude each other. A flag puts all variables aside.
 * @throws {UsageError} if there are two
 */
export function oneOf<Key extends string>(
  givens: Givens<Key>,
  keys: readonly Key[],
  remedy: string,
): { readonly key: Key; readonly given: Given } | undefined {
  const all = keys.flatMap((key) => {
    const given = givens[key];
    return given ? [{ key, given }] : [];
  });
  const flags = all.filter(({ given }) => given.from === 'flag');
  const [first, ...others] = flags.length > 0 ? flags : all;
  if (first && others.length > 0) {
    const names = [first, ...others].map(({ given }) => given.name).join(' and ');
    throw new UsageError(`${names} exclude each other: ${remedy}`);
  }
  return first;
}
