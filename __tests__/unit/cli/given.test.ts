import { describe, expect, it } from '@jest/globals';
import { givensOf, isSetAside, oneOf, shown, type Flags } from '../../../src/cli/given.ts';

const SETTINGS = {
  port: { flags: '-p, --port <number>', variable: 'PORT', group: '', text: '' },
  backend: { flags: '--backend <url>', variable: 'BACKENDS', group: '', text: '', separator: ',' },
  backendsFile: { flags: '--backends-file <file>', variable: 'BACKENDS_FILE', group: '', text: '' },
  recover: { flags: '--recover', variable: 'RECOVER', group: '', text: '' },
} as const;

const read = (flags: Flags, env: NodeJS.ProcessEnv = {}): ReturnType<typeof givensOf> =>
  givensOf(SETTINGS, flags, env);

describe('what was given', () => {
  it('is of a flag, whatever the variable says', () => {
    const { port } = read({ port: '1' }, { PORT: '2' });
    expect(port).toEqual({ name: '--port', from: 'flag', values: ['1'] });
  });

  it('is of the variable where there is no flag', () => {
    expect(read({}, { PORT: '2' }).port).toEqual({ name: 'PORT', from: 'variable', values: ['2'] });
  });

  it('is nothing where a variable is empty', () => {
    expect(read({}, { PORT: '', BACKENDS: '' })).toEqual({});
  });

  it.each<[Flags]>([[{ port: '' }], [{ backend: [''] }], [{ backend: [' , '] }]])(
    'is a mistake where a flag is empty: %j',
    (flags) => {
      expect(() => read(flags)).toThrow(/^--\w+ is empty: give a value, or leave it out$/);
    },
  );

  it('is a mistake where a variable has nothing but separators', () => {
    expect(() => read({}, { BACKENDS: ' , ' })).toThrow('BACKENDS names nothing');
  });

  it('may be several, in several flags or in one', () => {
    expect(read({ backend: ['a', 'b, c'] }).backend?.values).toEqual(['a', 'b', 'c']);
    expect(read({}, { BACKENDS: 'a,b' }).backend?.values).toEqual(['a', 'b']);
  });

  it('may be a flag without a value', () => {
    expect(read({ recover: true }).recover?.values).toEqual(['true']);
  });

  it('is shown as it was written', () => {
    const [flag, variable] = [read({ port: 'x' }).port, read({}, { PORT: 'x' }).port];
    expect(flag && shown(flag)).toBe('--port x');
    expect(variable && shown(variable)).toBe('PORT=x');
  });
});

describe('settings that exclude each other', () => {
  const choose = (flags: Flags, env: NodeJS.ProcessEnv = {}): string | undefined =>
    oneOf(read(flags, env), ['backend', 'backendsFile'], 'give one')?.given.name;

  it('are refused by name', () => {
    const both = { backend: ['a'], backendsFile: 'b' };
    expect(() => choose(both)).toThrow(
      '--backend and --backends-file exclude each other: give one',
    );
    const env = { BACKENDS: 'a', BACKENDS_FILE: 'b' };
    expect(() => choose({}, env)).toThrow('BACKENDS and BACKENDS_FILE exclude each other');
  });

  it('are set aside by a flag, where they are variables', () => {
    expect(choose({ backend: ['a'] }, { BACKENDS_FILE: 'b' })).toBe('--backend');
    const { backend, port } = read({ backend: ['a'] }, { PORT: '1' });
    expect(port && isSetAside(port, backend)).toBe(true);
    expect(port && isSetAside(port, undefined)).toBe(false);
  });

  it('may be left out', () => {
    expect(choose({})).toBeUndefined();
  });
});
