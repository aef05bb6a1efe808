import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What is read of jest's JSON results. */
interface Results {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly ancestorTitles: readonly string[];
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

// Its results go to a file; what jest says on the way goes to stderr.
const folder = mkdtempSync(path.join(tmpdir(), 'hostile-'));
const output = path.join(folder, 'jest.json');
const { status } = spawnSync(
  'npm',
  [
    ...['run', '--silent', 'jest', '--', '--selectProjects', 'hostile', '--maxWorkers=2'],
    ...['--json', `--outputFile=${output}`, ...process.argv.slice(2)],
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as Results;
rmSync(folder, { recursive: true, force: true });

const tests = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults
    .filter((each) => each.status !== 'pending')
    .map((each) => ({ ...each, what: path.basename(name, '.test.ts') })),
);
const TABLES = ['inputs', 'answers'];
const rows = tests.filter(({ what }) => TABLES.includes(what));
const stacks = new Set(rows.map(({ ancestorTitles: [stack] }) => stack));

function countOf(what: string): number {
  const names = rows
    .filter((each) => each.what === what)
    .map(({ ancestorTitles: [stack = ''], fullName }) => fullName.slice(stack.length));
  return new Set(names).size;
}

const failed = tests.filter((each) => each.status === 'failed');
const hits = failed.filter(({ failureMessages }) =>
  failureMessages.join().includes('UnexpectedHits'),
);
console.log(
  `${countOf('inputs')} hostile inputs and ${countOf('answers')} hostile answers on ${stacks.size} stacks: ` +
    `${hits.length} with unexpected hits, ${failed.length - hits.length} that went wrong otherwise`,
);
process.exitCode = status ?? 1;
