import { describe, expect, it } from '@jest/globals';
import { readSettings, type DoctorSettings } from '../../../src/cli/doctor/settings.ts';
import type { Flags } from '../../../src/cli/given.ts';

const URL_GIVEN = 'https://mcp.example/mcp?key=1#part';
const read = (flags: Flags = {}, env: NodeJS.ProcessEnv = {}): DoctorSettings =>
  readSettings(URL_GIVEN, flags, env);

describe('the settings of the doctor', () => {
  it('have defaults', () => {
    expect(read()).toEqual({
      url: new URL('https://mcp.example/mcp?key=1'),
      ...{ sessions: 30, calls: 10, concurrency: 10, timeout: 10_000 },
      ...{ headers: {}, insecure: false, json: false },
    });
  });

  it('are given by flags', () => {
    const direct = 'http://a:1/mcp';
    const { direct: url, ...settings } = read({
      ...{ sessions: '3', calls: '2', concurrency: '1', timeout: '0.5', direct },
      ...{ insecure: true, json: true, header: ['Authorization: Bearer a,b', 'X-Empty:'] },
    });
    expect(url).toEqual(new URL(direct));
    expect(settings).toMatchObject({
      ...{ sessions: 3, calls: 2, concurrency: 1, timeout: 500, insecure: true, json: true },
      headers: { Authorization: 'Bearer a,b', 'X-Empty': '' },
    });
  });

  it('keep a header that is given several times', () => {
    const { headers } = read({ header: ['X-A: 1', 'x-a: 2', 'X-A: 3'] });
    expect(headers).toEqual({ 'X-A': ['1', '2', '3'] });
  });

  it('take headers of the environment, one on each line', () => {
    const env = { MCP_DOCTOR_HEADERS: 'Authorization: Bearer a\nX-B: c\n' };
    expect(read({}, env).headers).toEqual({ Authorization: 'Bearer a', 'X-B': 'c' });
  });

  it.each<[Flags, string]>([
    [{ sessions: '0' }, '--sessions 0 is not a number that can be: give 1 to 10000'],
    [{ calls: 'many' }, '--calls many is not a number'],
    [{ concurrency: '1001' }, 'give 1 to 1000'],
    [{ timeout: '0' }, 'give seconds, 0.1 to 600'],
    [{ direct: 'secret' }, '--direct is not an http(s) URL'],
    [{ header: ['secret'] }, '--header: no header: give "Name: value"'],
    [{ header: ['A: secret\u0000'] }, '--header: A has a value that no header can have'],
    [{ header: ['Trailer: secret'] }, 'Trailer is sent by the doctor itself'],
    [{ header: ['Mcp-Session-Id: secret'] }, 'Mcp-Session-Id is sent by the doctor itself'],
  ])('are refused with their remedy, and no secret is shown: %j', (flags, message) => {
    expect(() => read(flags)).toThrow(message);
    expect(() => read(flags)).not.toThrow('secret');
  });

  it.each([
    ['secret', 'the URL is not an http(s) URL: give one such as http://localhost:3000/mcp'],
    ['ftp://secret', 'is not an http(s) URL'],
    ['http://me:secret@a', 'give --header "Authorization: Basic ..." instead'],
  ])('want a URL: %s', (url, message) => {
    expect(() => readSettings(url, {}, {})).toThrow(message);
    expect(() => readSettings(url, {}, {})).not.toThrow('secret');
  });
});
