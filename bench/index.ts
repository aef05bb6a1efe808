/**
 * Measures what performance is promised of this package, and what others do in its place. Prints it, and writes
 * bench/results/<date>-node-<major>.md and .json. Takes about 12 minutes.
 *
 *   npm run bench                    all of it
 *   npm run bench -- routing store   parts of it, written nowhere: routing, store, streams, peers
 */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isReached, textOf, type Results, type Section } from './lib/result.ts';
import { peers } from './peers.ts';
import { routing } from './routing.ts';
import { store } from './store.ts';
import { streams } from './streams.ts';

const PARTS: Readonly<Record<string, () => Promise<Section>>> = { routing, store, streams, peers };

const asked = process.argv.slice(2);
const names = asked.length === 0 ? Object.keys(PARTS) : asked;
const sections: Section[] = [];
for (const name of names) {
  const part = PARTS[name];
  if (!part) {
    console.error(`There is no part "${name}"; the parts are ${Object.keys(PARTS).join(', ')}.`);
    process.exit(1);
  }
  console.error(`measuring ${name}`);
  sections.push(await part());
}
const results: Results = {
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  machine: `${os.availableParallelism()} cores (${os.cpus()[0]?.model ?? 'unknown'})`,
  sections,
};
console.log(textOf(results));
if (asked.length === 0) {
  const major = process.versions.node.split('.')[0] ?? '';
  const file = path.join(import.meta.dirname, 'results', `${results.date}-node-${major}`);
  writeFileSync(`${file}.md`, `${textOf(results)}\n`);
  writeFileSync(`${file}.json`, `${JSON.stringify(results, undefined, 2)}\n`);
}
const missed = sections.flatMap(({ figures }) => figures).filter((figure) => !isReached(figure));
console.error(missed.length === 0 ? 'all targets reached' : `${missed.length} targets missed`);
process.exit(0);
