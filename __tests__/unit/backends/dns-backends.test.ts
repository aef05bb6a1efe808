import { promises as dns } from 'node:dns';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { dnsBackends, SessionRoutingError } from '../../../src/index.ts';
import { startDnsServer } from '../../helpers/dns-server.ts';

const HOST = 'mcp.default.svc.cluster.local';
const URL_OF_HOST = `http://${HOST}:8080`;
const SRV = { srv: '_mcp._tcp' };

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

async function listOf(...args: Parameters<typeof dnsBackends>): Promise<readonly unknown[]> {
  return dnsBackends(...args).list();
}

/** Each pod by its name in the service. */
function pods(...names: string[]): { target: string; port: number }[] {
  return names.map((name) => ({ target: `${name}.${HOST}`, port: 8080 }));
}

describe('the addresses of a host', () => {
  test('are backends, IPv4 and IPv6, each with the scheme and the port of the URL', async () => {
    const { zone, resolver } = await startDnsServer();
    zone.set(HOST, { A: ['10.0.0.2', '10.0.0.1'], AAAA: ['fd00::1'] });
    const found = await listOf(new URL(URL_OF_HOST), { resolver });
    expect(found).toEqual([
      'http://10.0.0.1:8080',
      'http://10.0.0.2:8080',
      'http://[fd00::1]:8080',
    ]);
  });

  test('are backends at the usual port if the URL has none', async () => {
    const { zone, resolver } = await startDnsServer();
    zone.set(HOST, { A: ['10.0.0.1'], AAAA: ['fd00::1'] });
    const found = await listOf(`http://${HOST}.`, { resolver });
    expect(found).toEqual(['http://10.0.0.1', 'http://[fd00::1]']);
  });

  test.each([
    [{ A: ['10.0.0.1'] }, 'http://10.0.0.1:8080'],
    [{ AAAA: ['fd00::1'] }, 'http://[fd00::1]:8080'],
  ])('may be of one kind only: %j', async (records, origin) => {
    const { zone, resolver } = await startDnsServer();
    zone.set(HOST, records);
    expect(await listOf(URL_OF_HOST, { resolver })).toEqual([origin]);
  });

  test('are asked for again each time, whatever their TTL', async () => {
    const { zone, resolver } = await startDnsServer();
    const list = (): Promise<unknown> => listOf(URL_OF_HOST, { resolver });
    zone.set(HOST, { A: ['10.0.0.1'] });
    expect(await list()).toEqual(['http://10.0.0.1:8080']);
    zone.set(HOST, { A: ['10.0.0.9'] });
    expect(await list()).toEqual(['http://10.0.0.9:8080']);
  });

  test('are not looked for in search domains', async () => {
    const { asked, resolver } = await startDnsServer();
    await expect(listOf('http://mcp', { resolver })).rejects.toThrow(
      'mcp does not exist (NXDOMAIN): give the fully qualified name, search domains are not applied',
    );
    expect(asked.toSorted()).toEqual(['A mcp', 'AAAA mcp']);
  });
});

describe('SRV records', () => {
  test('name the backends and their ports, sorted and each once', async () => {
    const { zone, asked, resolver } = await startDnsServer();
    const other = { target: 'MCP-9.Other.', port: 80 };
    zone.set(`_mcp._tcp.${HOST}`, { SRV: [other, ...pods('mcp-1', 'mcp-0', 'mcp-1')] });
    const found = await listOf(`http://${HOST}`, { ...SRV, resolver });
    expect(found).toEqual([
      `http://mcp-0.${HOST}:8080`,
      `http://mcp-1.${HOST}:8080`,
      'http://mcp-9.other',
    ]);
    expect(asked).toEqual([`SRV _mcp._tcp.${HOST}`]);
  });

  test('serve https too, since they give names', async () => {
    const { zone, resolver } = await startDnsServer();
    zone.set(`_mcp._tcp.${HOST}`, { SRV: pods('mcp-0') });
    const found = await listOf(`https://${HOST}`, { ...SRV, resolver });
    expect(found).toEqual([`https://mcp-0.${HOST}:8080`]);
  });

  test('may be more than fit in a datagram', async () => {
    const { zone, resolver } = await startDnsServer();
    const names = Array.from({ length: 90 }, (_, at) => `mcp-${at + 10}`);
    zone.set(`_mcp._tcp.${HOST}`, { SRV: pods(...names) });
    const found = await listOf(`http://${HOST}`, { ...SRV, resolver });
    expect(found).toEqual(names.map((name) => `http://${name}.${HOST}:8080`));
  });

  test('that name the root say that there is no such service', async () => {
    const { zone, resolver } = await startDnsServer();
    zone.set(`_mcp._tcp.${HOST}`, { SRV: [{ target: '.', port: 0 }] });
    await expect(listOf(`http://${HOST}`, { ...SRV, resolver })).rejects.toThrow(
      `_mcp._tcp.${HOST} has no SRV records`,
    );
  });

  test.each([
    [{ target: 'evil/.mcp-0', port: 80 }],
    [{ target: 'me@evil', port: 80 }],
    [{ target: 'mcp-0', port: 0 }],
  ])('that are no origin are a failure, they are not left out: %j', async (record) => {
    const { zone, resolver } = await startDnsServer();
    zone.set(`_mcp._tcp.${HOST}`, { SRV: [...pods('mcp-1'), record] });
    await expect(listOf(`http://${HOST}`, { ...SRV, resolver })).rejects.toThrow(
      `_mcp._tcp.${HOST} has a record that is no origin`,
    );
  });
});

describe('a failure is told, with the name, so that the backends found last are kept:', () => {
  test.each([
    ['an empty answer', {}, `${HOST} has no A or AAAA records`],
    [
      'a server that fails',
      { A: 'SERVFAIL' },
      `the A records of ${HOST} could not be read (ESERVFAIL)`,
    ],
    [
      'a server that is silent',
      { A: 'silence' },
      `the A records of ${HOST} could not be read (ETIMEOUT)`,
    ],
    [
      'half an answer',
      { A: ['10.0.0.1'], AAAA: 'SERVFAIL' },
      `the AAAA records of ${HOST} could not`,
    ],
    ['half an answer, then silence', { A: ['10.0.0.1'], AAAA: 'silence' }, '(ETIMEOUT)'],
  ] as const)('%s', async (_title, records, message) => {
    const { zone, resolver } = await startDnsServer();
    zone.set(HOST, records);
    await expect(listOf(URL_OF_HOST, { resolver })).rejects.toThrow(message);
  });

  test.each([
    ['an unknown name', undefined, 'does not exist (NXDOMAIN): give the fully qualified name'],
    ['an empty answer', {}, 'has no SRV records'],
    ['a server that fails', { SRV: 'SERVFAIL' }, '(ESERVFAIL)'],
    ['a server that is silent', { SRV: 'silence' }, '(ETIMEOUT)'],
  ] as const)('%s, asked for SRV records', async (_title, records, message) => {
    const { zone, resolver } = await startDnsServer();
    if (records) zone.set(`_mcp._tcp.${HOST}`, records);
    const list = listOf(`http://${HOST}`, { ...SRV, resolver });
    const error: unknown = await list.catch((reason: unknown) => reason);
    expect(String(error)).toContain(`_mcp._tcp.${HOST} `);
    expect(String(error)).toContain(message);
  });
});

describe('the resolver', () => {
  test('is that of the system, if none is given, which is not asked for longer than needed', async () => {
    const { address, zone } = await startDnsServer();
    zone.set(`_mcp._tcp.${HOST}`, { SRV: pods('mcp-0') });
    const { resolveSrv } = dns.Resolver.prototype;
    jest.spyOn(dns.Resolver.prototype, 'resolveSrv').mockImplementation(function (
      this: dns.Resolver,
      name,
    ) {
      this.setServers([address]);
      return resolveSrv.call(this, name);
    });
    const cancel = jest.spyOn(dns.Resolver.prototype, 'cancel');
    expect(await listOf(`http://${HOST}`, SRV)).toEqual([`http://mcp-0.${HOST}:8080`]);
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  test('has two seconds', async () => {
    jest.useFakeTimers();
    const never = (): Promise<never> => new Promise(() => {});
    const resolver = { resolve4: never, resolve6: never, resolveSrv: never };
    const told = listOf(URL_OF_HOST, { resolver }).catch(String);
    await jest.advanceTimersByTimeAsync(2000);
    expect(await told).toBe(`Error: dnsBackends: ${HOST}: no answer within 2000 ms`);
  });

  test.each([
    [() => Promise.resolve(['10.0.0.1/x']), `${HOST} has the address "10.0.0.1/x", which is none`],
    [() => Promise.resolve([5]), `${HOST} has the address 5, which is none`],
    [() => Promise.resolve(undefined), 'the resolver answered undefined, which is no list'],
    [() => Promise.reject(new Error('of the user')), `could not be read (of the user)`],
    [() => Promise.reject('a string'), `could not be read ("a string")`],
    [() => Promise.resolve([]), `${HOST} has no A or AAAA records`],
    [() => Promise.reject({ code: 'ENOTFOUND' }), `${HOST} has no A or AAAA records`],
  ])('may answer anything: %p', async (resolve, message) => {
    const none = (): Promise<never[]> => Promise.resolve([]);
    const resolver = { resolve4: resolve as typeof none, resolve6: none, resolveSrv: none };
    await expect(listOf(URL_OF_HOST, { resolver })).rejects.toThrow(message);
  });
});

describe('a mistake is told at creation, with the remedy:', () => {
  test.each([
    ['mcp:8080', {}, 'backends: "mcp:8080" must be an absolute http or https URL'],
    [`${URL_OF_HOST}/mcp`, {}, 'must be an origin, since requests keep their own path'],
    ['http://me:secret@mcp', {}, 'must not hold credentials'],
    [
      'https://mcp:8443',
      {},
      '"https://mcp:8443": a certificate is for a name, and this gives addresses; use "srv"',
    ],
    [
      'http://10.0.0.1:8080',
      {},
      '10.0.0.1 is an address, which DNS has no records of; give it to "backends"',
    ],
    ['http://[::1]', SRV, '[::1] is an address'],
    ['http://mcp:8080', SRV, 'with "srv" the port comes from the records; leave out ":8080"'],
    ['http://mcp:80/', SRV, 'leave out ":80"'],
    [new URL('https://mcp:8443'), SRV, 'leave out ":8443"'],
    [
      'http://mcp',
      { srv: 'mcp' },
      'option "srv": "mcp" must be a service and its protocol, "_mcp._tcp"',
    ],
    ['http://mcp', { srv: '_mcp._tcp.mcp' }, 'must be a service and its protocol'],
    ['http://mcp', { srv: '' }, 'must be a service and its protocol'],
    ['http://mcp', { srv: true }, 'option "srv": true must be'],
    ['http://mcp', { SRV: '_mcp._tcp' }, 'option "SRV" is not an option, did you mean "srv"?'],
    ['http://mcp', { port: 8080 }, 'option "port" is not an option'],
    ['http://mcp', { refresh: 0 }, 'option "refresh": 0 must be a number above 0'],
    ['http://mcp', { refresh: '5s' }, 'option "refresh": "5s" must be a number above 0'],
    ['http://mcp', { refresh: Infinity }, 'option "refresh": null must be a number above 0'],
    ['http://mcp', { refresh: 2 ** 31 }, 'option "refresh": 2147483648 must be at most 2147483647'],
    [
      'http://mcp',
      { resolver: '10.0.0.10' },
      'option "resolver" must have resolve4, resolve6, resolveSrv',
    ],
    ['http://mcp', { resolver: { resolve4() {} } }, 'such as new Resolver() of node:dns/promises'],
    ['http://mcp', null, 'the options must be an object, such as { srv }'],
  ])('%p, %j', (url, options, message) => {
    const create = (): unknown => dnsBackends(url, options as object);
    expect(create).toThrow(SessionRoutingError);
    expect(create).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    expect(create).toThrow(message);
  });
});

test('backends are asked for every 5 s, or as often as the option says', () => {
  expect(dnsBackends('http://mcp').refresh).toBe(5000);
  expect(dnsBackends('http://mcp', { refresh: 0.5 }).refresh).toBe(0.5);
  expect(dnsBackends('http://mcp', { refresh: 2 ** 31 - 1 }).refresh).toBe(2 ** 31 - 1);
});
