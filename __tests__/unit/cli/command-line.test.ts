import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { DOCTOR_SETTINGS } from '../../../src/cli/doctor/settings.ts';
import { SETTINGS } from '../../../src/cli/gateway/settings-table.ts';
import { nameOf } from '../../../src/cli/given.ts';
import { outcomeOf } from '../../helpers/command-line.ts';

const read = (file: string): string =>
  readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

const COMMANDS = [
  ['gateway', SETTINGS],
  ['doctor', DOCTOR_SETTINGS],
] as const;

describe('the command line', () => {
  it('tells its version', async () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(await outcomeOf(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it.each(COMMANDS)('tells all flags and variables of %s', async (name, settings) => {
    const { code, out } = await outcomeOf([name, '--help']);
    const wanted = Object.values(settings).flatMap(({ flags, variable }) => [
      nameOf(flags),
      ...(variable === undefined ? [] : [`[${variable}]`]),
    ]);
    const text = out.replaceAll(/\s+/g, ' ');
    expect(wanted.filter((each) => !text.includes(each))).toEqual([]);
    expect(code).toBe(0);
  });

  it.each(COMMANDS)('is documented: %s', (_, settings) => {
    const page = read('docs/cli.md');
    const wanted = Object.values(settings).flatMap(({ flags, variable }) => [
      `\`${nameOf(flags)}`,
      ...(variable === undefined ? [] : [`\`${variable}\``]),
    ]);
    expect(wanted.filter((each) => !page.includes(each))).toEqual([]);
  });

  it('has a flag for each variable of the example gateway', () => {
    const page =
      read('examples/README.md').split('`gateway.ts` is set by the environment')[1] ?? '';
    const variables = [...page.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, variable]) => variable),
    );
    const known: unknown[] = Object.values(SETTINGS).map(({ variable }) => variable);
    expect(variables.length).toBeGreaterThan(10);
    // The command has one forwarder only.
    expect(variables.filter((each) => !known.includes(each))).toEqual(['PROXY']);
  });

  it.each([
    [['gateway', '--prot', '1'], "unknown option '--prot'", '(Did you mean --port?)'],
    [['gatway'], "unknown command 'gatway'", '(Did you mean gateway?)'],
    [['doctor'], "missing required argument 'url'", '--help tells all settings'],
    [['gateway', '--port'], "option '-p, --port <number>' argument missing", '--help'],
    [['gateway', 'http://a:1'], 'too many arguments', '--help'],
  ])('refuses %j with 2, and says what to do', async (args, problem, remedy) => {
    const { code, out, err } = await outcomeOf(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(problem);
    expect(err).toContain(remedy);
  });

  it('does not repeat the value of a flag that is spelt wrong', async () => {
    const { code, err } = await outcomeOf(['gateway', "--store-secrets=it's\na secret'"]);
    expect(code).toBe(2);
    expect(err).toContain("unknown option '--store-secrets'");
    expect(err).not.toContain("secret'");
    expect(err).not.toContain("it's");
  });

  it('shows its help where no command is given, with 2', async () => {
    const { code, err } = await outcomeOf([]);
    expect(code).toBe(2);
    expect(err).toMatch(/gateway[^]*doctor/);
  });

  it('says in one line what cannot be, with 2', async () => {
    expect(await outcomeOf(['gateway', '-b', 'http://a:1', '--port', 'abc'])).toEqual({
      code: 2,
      out: '',
      err: 'mcp-session-routing: --port abc is not a port: give 0 to 65535 (0 picks a free one)\n',
    });
  });

  it.each([
    [
      { STORE_SECRET: 'too-short', REDIS_URL: 'redis://127.0.0.1:1' },
      [],
      'STORE_SECRET: must be a string of at least 32 characters',
    ],
    [{}, ['--allowed-origin', 'app'], '--allowed-origin: "app" must be an origin, such as'],
    [{}, ['--health', 'healthz'], '--health: "healthz" must be a path that begins with "/"'],
    [{}, ['--backend', 'http://a:1'], 'http://a:1 is given twice'],
  ])(
    'names the setting where it is the package that refuses: %j %j',
    async (env, more, message) => {
      const { code, err } = await outcomeOf(
        ['gateway', '--backend', 'http://a:1', '--port', '0', ...more],
        env,
      );
      expect(code).toBe(2);
      expect(err).toContain(message);
      expect(err).not.toContain('too-short');
    },
  );
});
