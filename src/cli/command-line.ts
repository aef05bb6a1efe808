import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import { runDoctor } from './doctor/run-doctor.ts';
import { DOCTOR_SETTINGS, readSettings } from './doctor/settings.ts';
import { SETTINGS } from './gateway/settings-table.ts';
import type { Flags, Setting } from './given.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** What a command finds around it. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  /** SIGTERM and SIGINT. */
  readonly stop: AbortSignal;
}

const GATEWAY_HELP = `
Each setting is a flag, or a variable of the environment; a flag wins.

  $ npx mcp-session-routing gateway --backend http://mcp-0:8080 --backend http://mcp-1:8080
  $ npx -p mcp-session-routing -p ioredis mcp-session-routing gateway -b http://mcp-0:8080 --redis redis://redis:6379

SIGTERM and SIGINT end it: no new connections, requests may finish, exit code 0.
Exit codes: 0 ended by a signal, 1 failed, 2 wrong settings.`;

const DOCTOR_HELP = `
  $ npx mcp-session-routing doctor https://mcp.example.com/mcp --header "Authorization: Bearer $TOKEN"

It ends the sessions that it opens. NO_COLOR is heeded.
Exit codes: 0 all calls reached their session, 1 not all did, 2 wrong settings.`;

/** Runs the command that the arguments name. @returns the exit code */
export async function runCommandLine(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const { terminal } = surroundings;
  try {
    return await parse(args, surroundings);
  } catch (error) {
    // commander has written it.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    terminal.err(`mcp-session-routing: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function parse(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { env, terminal, stop } = surroundings;
  let exitCode = 0;
  const program = new Command('mcp-session-routing')
    .description('Sends every request of an MCP session to the backend that opened it.')
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      // The value of a flag that is spelt wrong may be a secret.
      outputError: (text, write) =>
        write(text.replace(/^(error: unknown option '[^'=]*)=[^]*?'(?=\n|$)/, "$1'")),
    })
    .showHelpAfterError('(--help tells all settings)');

  withSettings(program.command('gateway'), SETTINGS)
    .description('Run a gateway in front of MCP servers.')
    .addHelpText('after', GATEWAY_HELP)
    .action(async (flags: Flags) => {
      const { readSettings: read } = await import('./gateway/read-settings.ts');
      const { runGateway } = await import('./gateway/run-gateway.ts');
      await runGateway(read(flags, env), terminal, stop);
    });

  withSettings(program.command('doctor'), DOCTOR_SETTINGS)
    .description('Tell whether the requests of a session reach its server, at any MCP endpoint.')
    .argument('<url>', 'the MCP endpoint, such as https://mcp.example.com/mcp')
    .addHelpText('after', DOCTOR_HELP)
    .action(async (url: string, flags: Flags) => {
      exitCode = await runDoctor(readSettings(url, flags, env), terminal, stop);
    });

  await program.parseAsync(args, { from: 'user' });
  return exitCode;
}

function withSettings(command: Command, settings: Readonly<Record<string, Setting>>): Command {
  for (const { flags, variable, group, text, separator } of Object.values(settings)) {
    const named = variable === undefined ? text : `${text} [${variable}]`;
    const option = new Option(flags, named).helpGroup(group);
    if (separator) {
      option.argParser((value: string, before: readonly string[] | undefined) => [
        ...(before ?? []),
        value,
      ]);
    }
    command.addOption(option);
  }
  return command;
}

function version(): string {
  const manifest = createRequire(import.meta.url)('../../package.json') as { version: string };
  return manifest.version;
}
