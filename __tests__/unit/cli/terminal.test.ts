import { describe, expect, it } from '@jest/globals';
import { terminalOf, type Terminal } from '../../../src/cli/terminal.ts';

function screen(
  isTTY: boolean,
  env: NodeJS.ProcessEnv = {},
): { readonly terminal: Terminal; readonly out: () => string; readonly err: () => string } {
  const texts = { out: '', err: '' };
  const output = (to: 'out' | 'err'): Parameters<typeof terminalOf>[0] => ({
    isTTY,
    columns: 10,
    write: (text) => (texts[to] += text),
  });
  const terminal = terminalOf(output('out'), output('err'), env);
  return { terminal, out: () => texts.out, err: () => texts.err };
}

describe('the terminal', () => {
  it('shows progress on a screen, and takes it away for a line', () => {
    const { terminal, out, err } = screen(true);
    terminal.progress('call 1 of 300');
    terminal.out('done');
    expect(err()).toBe('call 1 of\r\u001B[K');
    expect(out()).toBe('done\n');
  });

  it.each([
    [false, {}],
    [true, { TERM: 'dumb' }],
  ])('shows no progress elsewhere (%s %j)', (isTTY, env) => {
    const { terminal, err } = screen(isTTY, env);
    terminal.progress('call 1');
    terminal.progress();
    terminal.err('a warning');
    expect(err()).toBe('a warning\n');
  });

  it.each<[boolean, NodeJS.ProcessEnv, boolean]>([
    [true, {}, true],
    [false, {}, false],
    [false, { CI: 'true' }, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('paints, or does not (%s %j): %s', (isTTY, env, painted) => {
    const { terminal } = screen(isTTY, env);
    expect(terminal.paint.red('x')).toBe(painted ? '\u001B[31mx\u001B[39m' : 'x');
  });
});
