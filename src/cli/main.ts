#!/usr/bin/env node
import { runCommandLine } from './command-line.ts';
import { terminalOf } from './terminal.ts';

/** Between two looks at whether npx is still there (ms). */
const PARENT_INTERVAL = 250;

const { argv, env, stdout, stderr, ppid } = process;
const stop = new AbortController();
// What cannot be told any more (its reader is gone, the disk is full) must not end a gateway.
for (const output of [stdout, stderr]) output.on('error', () => {});
// npx ends by SIGTERM without passing it on, and would leave a gateway behind that nobody knows of.
if (env['npm_command'] === 'exec') {
  setInterval(() => process.ppid === ppid || stop.abort(), PARENT_INTERVAL).unref();
}

// The second of a kind ends the process at once; the first process of a container has to do so itself.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    stop.abort(signal);
    process.once(signal, () => process.exit(code));
  });
}

const terminal = terminalOf(stdout, stderr, env);
process.exitCode = await runCommandLine(argv.slice(2), { env, terminal, stop: stop.signal });
