import { isObject, shown, strayOf } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import type { BackendEra } from './eras.ts';
import { checkBackend } from './origin.ts';

/** A backend as it was named, checked. */
export interface Entry {
  readonly url: string;
  readonly id: string | undefined;
  readonly draining: boolean;
  readonly era: BackendEra | undefined;
}

const ERAS: readonly unknown[] = ['modern', 'legacy', 'both'];

/** It stands in every record (characters). */
const LONGEST_ID = 256;

/** @throws {SessionRoutingError} `invalid_option` for what is no list of backends, or names one twice */
export function entriesOf(given: unknown): readonly Entry[] {
  if (!Array.isArray(given)) {
    const remedy = `${shown(given)}: must be a list of backends`;
    throw new SessionRoutingError('invalid_option', `backends: ${remedy}`);
  }
  const entries = given.map(entryOf);
  const urls = entries.map(({ url }) => url);
  const twice = urls.find((url, index) => urls.indexOf(url) !== index);
  if (twice !== undefined) {
    throw new SessionRoutingError('invalid_option', `backends: ${twice} is given twice`);
  }
  return entries;
}

function entryOf(given: unknown): Entry {
  if (!isObject(given) || given instanceof URL) {
    return { url: checkBackend(given), id: undefined, draining: false, era: undefined };
  }
  const stray = strayOf(given, ['url', 'id', 'draining', 'era']);
  if (stray) throw invalid(given, `"${stray.name}" ${stray.remedy}`);
  const { url, id, draining = false, era } = given as Readonly<Record<string, unknown>>;
  const named = id === undefined || (typeof id === 'string' && id.length > 0);
  if (!named || (id?.length ?? 0) > LONGEST_ID) {
    throw invalid(given, `"id" must be a string of 1 to ${LONGEST_ID} characters`);
  }
  if (typeof draining !== 'boolean') throw invalid(given, '"draining" must be true or false');
  if (!isEra(era)) throw invalid(given, `"era" must be one of ${ERAS.join(', ')}`);
  return { url: checkBackend(url), id, draining, era };
}

function isEra(value: unknown): value is BackendEra | undefined {
  return value === undefined || ERAS.includes(value);
}

/** Of an entry no more is repeated than its URL: what does not belong there may be a secret. */
function invalid(given: unknown, remedy: string): SessionRoutingError {
  const url: unknown = isObject(given) ? Reflect.get(given, 'url') : undefined;
  const place = typeof url === 'string' && !url.includes('@') ? url : typeof given;
  return new SessionRoutingError('invalid_option', `backends: ${place}: ${remedy}`);
}
