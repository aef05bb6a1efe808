import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BackendEntry } from '../../src/index.ts';
import { onCleanup } from './cleanup.ts';

export interface BackendsFile {
  /** For `BACKENDS_FILE` of a gateway. */
  readonly path: string;
  /** At no moment is the file half written. */
  write(content: readonly BackendEntry[] | string): void;
}

/** A list of backends that gateways read while they run; it is gone after the test. */
export function backendsFile(content: readonly BackendEntry[] | string): BackendsFile {
  const folder = mkdtempSync(path.join(tmpdir(), 'backends-'));
  onCleanup(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'backends.json');
  const write: BackendsFile['write'] = (next) => {
    writeFileSync(`${file}.new`, typeof next === 'string' ? next : JSON.stringify(next));
    renameSync(`${file}.new`, file);
  };
  write(content);
  return { path: file, write };
}
