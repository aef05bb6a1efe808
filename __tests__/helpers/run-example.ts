import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface RunningExample {
  output(): string;
  errors(): string;
  /** The first group of `pattern`, as soon as it is in the output. */
  match(pattern: RegExp): Promise<string>;
  stop(signal: NodeJS.Signals): Promise<Exit>;
  exited: Promise<Exit>;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SETTINGS = [
  ...['PORT', 'HOST', 'BACKENDS', 'BACKENDS_FILE', 'MCP_PATH', 'REDIS_URL', 'PROXY'],
  'MESSAGE_PATH',
  ...['REDIS_SENTINELS', 'REDIS_MASTER_NAME', 'REDIS_CLUSTER', 'REDIS_PASSWORD'],
  ...['SESSION_TTL_SECONDS', 'UNKNOWN_SESSION_STATUS', 'STATUS_PATH', 'STATUS_PASSWORD'],
];
const running = new Set<RunningExample>();

/** Runs an example as a user does, with these settings and none of the surrounding environment. */
export function runExample(file: string, settings: Record<string, string> = {}): RunningExample {
  const env = { ...process.env };
  for (const name of SETTINGS) delete env[name];
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/${file}`], {
    cwd: ROOT,
    env: { ...env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exited: Promise<Exit> = once(child, 'close').then(([code, signal]) => ({ code, signal }));

  const example: RunningExample = {
    output: () => output,
    errors: () => errors,
    exited,
    async match(pattern) {
      for (;;) {
        const found = pattern.exec(output)?.[1];
        if (found !== undefined) return found;
        const more = once(child.stdout, 'data').then(() => undefined);
        const ended = await Promise.race([more, exited]);
        if (ended) throw new Error(`${file} ended (${ended.code}):\n${output}${errors}`);
      }
    },
    stop(signal) {
      child.kill(signal);
      return exited;
    },
  };
  running.add(example);
  void exited.then(() => running.delete(example));
  return example;
}

export async function stopExamples(): Promise<void> {
  await Promise.all([...running].map((example) => example.stop('SIGKILL')));
}
