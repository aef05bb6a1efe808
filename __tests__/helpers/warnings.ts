import { jest } from '@jest/globals';
import { onCleanup } from './cleanup.ts';

/** The process warnings of a test, as texts; they are not printed. */
export function warnings(): string[] {
  const texts: string[] = [];
  const spy = jest
    .spyOn(process, 'emitWarning')
    .mockImplementation((warning: string | Error) => void texts.push(String(warning)));
  onCleanup(() => spy.mockRestore());
  return texts;
}
