import pico from 'picocolors';

/** What is used of `process.stdout` and `process.stderr`. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Where a command writes to. */
export interface Terminal {
  /** Writes a line of the result. */
  out(line: string): void;
  /** Writes a line that is no result: a warning, an error. */
  err(line: string): void;
  /** Shows how far a command is, on a screen only; without text it takes that away. */
  progress(text?: string): void;
  readonly paint: Paint;
}

/** Colours, where they are seen; elsewhere the text as it is. */
export type Paint = Readonly<
  Record<'bold' | 'dim' | 'green' | 'yellow' | 'red', (text: string) => string>
>;

// CSI K ; ECMA-48, 8.3.41: erases the rest of the line
const CLEAR_LINE = '\r\u001B[K';

export function terminalOf(stdout: Output, stderr: Output, env: NodeJS.ProcessEnv = {}): Terminal {
  let shown = false;
  const clear = (): void => {
    if (shown) stderr.write(CLEAR_LINE);
    shown = false;
  };
  return {
    out(line) {
      clear();
      stdout.write(`${line}\n`);
    },
    err(line) {
      clear();
      stderr.write(`${line}\n`);
    },
    progress(text) {
      if (stderr.isTTY !== true || env['TERM'] === 'dumb') return;
      clear();
      // A line that is wrapped could not be erased.
      if (text !== undefined) stderr.write(text.slice(0, (stderr.columns ?? 80) - 1));
      shown = text !== undefined;
    },
    paint: pico.createColors(isColoured(stdout, env)),
  };
}

/** `NO_COLOR` and `FORCE_COLOR` as they are commonly understood: anything that is not empty. */
function isColoured(stdout: Output, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0';
  return stdout.isTTY === true && env['TERM'] !== 'dumb';
}
