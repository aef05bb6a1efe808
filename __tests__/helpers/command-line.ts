import { EventEmitter, once } from 'node:events';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { SETTINGS } from '../../src/cli/gateway/settings-table.ts';
import { terminalOf } from '../../src/cli/terminal.ts';
import { onCleanup } from './cleanup.ts';

/** A command of the package, run in this process. */
export interface RunningCommand {
  /** Standard output, and errors, so far. */
  out(): string;
  err(): string;
  /** The first group of `pattern` in the output, now or later. */
  printed(pattern: RegExp): Promise<string>;
  /** The exit code, once it has ended. */
  readonly ended: Promise<number>;
  /** As SIGTERM does. */
  stop(): Promise<number>;
}

/** Runs `mcp-session-routing` with these arguments; what is still running after the test is stopped. */
export function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningCommand {
  const changed = new EventEmitter();
  const texts = { out: '', err: '' };
  const writer = (to: 'out' | 'err'): { write(text: string): void } => ({
    write(text) {
      texts[to] += text;
      changed.emit('change');
    },
  });
  const stop = new AbortController();
  const terminal = terminalOf(writer('out'), writer('err'), env);
  const ended = runCommandLine(args, { env, terminal, stop: stop.signal });
  void ended.then(() => changed.emit('change'));
  const command: RunningCommand = {
    out: () => texts.out,
    err: () => texts.err,
    ended,
    async printed(pattern) {
      let over: number | undefined;
      void ended.then((code) => (over = code));
      for (;;) {
        const found = pattern.exec(texts.out);
        if (found) return found[1] ?? found[0];
        if (over !== undefined) throw new Error(`it has ended (${over}): ${texts.err}`);
        await once(changed, 'change');
      }
    },
    stop() {
      stop.abort();
      return ended;
    },
  };
  onCleanup(() => command.stop());
  return command;
}

/** Runs a command to its end. */
export async function outcomeOf(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const command = run(args, env);
  const code = await command.ended;
  return { code, out: command.out(), err: command.err() };
}

/** A gateway as the command runs it, on a free port. */
export async function runGateway(
  ...args: readonly string[]
): Promise<RunningCommand & { readonly url: string; readonly port: number }> {
  const command = run(['gateway', '--port', '0', '--drain', '1', ...args]);
  const url = await command.printed(/^listening on (\S+)$/m);
  return { ...command, url, port: Number(new URL(url).port) };
}

/** The flag that names each of the servers. */
export function backendFlags(origins: Iterable<string>): string[] {
  return [...origins].flatMap((origin) => ['--backend', origin]);
}

/** No variable of the machine the tests run on. */
export const NO_VARIABLES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(SETTINGS).map(({ variable = '' }) => [variable, '']),
);
