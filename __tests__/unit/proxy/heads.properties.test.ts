import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { withoutHopByHop } from '../../../src/http/hop-by-hop.ts';
import { answerHeaders, answerTrailers, requestHeaders } from '../../../src/proxy/forward/heads.ts';

/** RFC 9110, 7.6.1. */
const OF_ONE_HOP = [
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'upgrade'],
];
/** What no `Connection` can take off: it frames, routes, or is of a proxy in front. */
const KEPT = [
  ...['host', 'content-length', 'transfer-encoding', 'mcp-session-id', 'mcp-protocol-version'],
  ...['mcp-method', 'mcp-name', 'forwarded', 'x-forwarded-for', 'x-forwarded-host'],
];
const FRAMING = ['transfer-encoding', 'expect', 'host'];
const OTHERS = ['accept', 'authorization', 'cookie', 'x-a', 'x-b', 'last-event-id', 'constructor'];

const name = fc.constantFrom(...OF_ONE_HOP, ...KEPT, ...FRAMING, ...OTHERS);
const value = fc.stringMatching(/^[!-~]{1,8}$/);
const token = fc.oneof(name, fc.constantFrom('close', 'keep-alive', '', '__proto__'));
/** `Connection` as somebody may write it. */
const connection = fc
  .array(fc.tuple(fc.constantFrom('', ' ', '\t'), token, fc.boolean()), { maxLength: 4 })
  .map((tokens) =>
    tokens.map(([blank, text, loud]) => blank + (loud ? text.toUpperCase() : text)).join(','),
  );
const headers = fc
  .tuple(fc.dictionary(name, value), fc.option(connection, { nil: undefined }))
  .map(([all, named]): Record<string, string> => {
    const rest = Object.fromEntries(Object.entries(all).filter(([key]) => key !== 'connection'));
    return named === undefined ? rest : { ...rest, connection: named };
  });

/** Whether a header may cross this hop. */
function crosses(header: string, named: string | undefined): boolean {
  if (OF_ONE_HOP.includes(header)) return false;
  if (KEPT.includes(header)) return true;
  const tokens = (named ?? '').split(',').map((each) => each.trim().toLowerCase());
  return !tokens.includes(header);
}

function pairsOf(list: readonly (string | string[])[]): [string, string][] {
  return list.flatMap((each, at) =>
    at % 2 === 1 ? [each].flat().map((text): [string, string] => [String(list[at - 1]), text]) : [],
  );
}

test('F4: what a backend gets through http-proxy-middleware are all headers but those of the hop', () => {
  fc.assert(
    fc.property(headers, (given) => {
      const expected = Object.entries(given).filter(([key]) => crosses(key, given['connection']));
      expect(Object.entries(withoutHopByHop(given))).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

describe('F4: what a backend gets through the forwarder', () => {
  test('are all headers but those of the hop and of the framing, and the host', () => {
    const host = fc.option(fc.constant('backend:1'), { nil: undefined });
    fc.assert(
      fc.property(headers, host, fc.boolean(), (given, ownHost, xfwd) => {
        const req = new IncomingMessage(new Socket());
        req.headers = given;
        const sent = pairsOf(requestHeaders(req, ownHost, xfwd));
        const forwarded = (key: string): boolean => /^(?:x-)?forwarded/.test(key);
        const expected = Object.entries(given)
          .filter(([key]) => crosses(key, given['connection']) && !FRAMING.includes(key))
          .filter(([key]) => !xfwd || !forwarded(key));
        const rest = sent.filter(([key]) => key !== 'host' && !(xfwd && forwarded(key)));
        expect(rest).toEqual(expected);
        const hosts = [ownHost ?? given['host']].filter((each) => each !== undefined);
        expect(sent.filter(([key]) => key === 'host').map(([, each]) => each)).toEqual(hosts);
      }),
      { numRuns: 500 },
    );
  });
});

const written = fc
  .tuple(name, fc.boolean())
  .map(([text, loud]) => (loud ? text.toUpperCase() : text));
const latin1 = fc.stringMatching(/^[!-~\xa1-\xff]{0,8}$/);
const raw = fc
  .array(fc.tuple(written, latin1), { maxLength: 8 })
  .map((all) => all.filter(([key]) => key.toLowerCase() !== 'connection'));

function bytesOf(pairs: readonly (readonly [string, string])[]): Buffer[] {
  return pairs.flat().map((text) => Buffer.from(text, 'latin1'));
}

describe('F4: what a client gets through the forwarder', () => {
  test('are all headers of the answer, byte for byte, but those of the hop and of the framing', () => {
    fc.assert(
      fc.property(raw, fc.option(connection, { nil: undefined }), (given, named) => {
        const all = named === undefined ? given : [['connection', named] as const, ...given];
        const sent = pairsOf(answerHeaders(bytesOf(all), named));
        const expected = given.filter(([key]) => {
          const lower = key.toLowerCase();
          return lower !== 'transfer-encoding' && crosses(lower, named);
        });
        // The values of a name stand together, in their order.
        const names = expected.map(([key]) => key.toLowerCase());
        const grouped = [...new Set(names)].flatMap((key) =>
          expected.filter(([each]) => each.toLowerCase() === key).map(([, text]) => [key, text]),
        );
        expect(sent.map(([key, text]) => [key.toLowerCase(), text])).toEqual(grouped);
      }),
      { numRuns: 500 },
    );
  });

  test('are all trailers but those that would frame, or name a session', () => {
    fc.assert(
      fc.property(raw, (given) => {
        const sent = answerTrailers(bytesOf(given));
        const held = ['transfer-encoding', 'content-length', 'mcp-session-id'];
        const expected = given.filter(([key]) => {
          const lower = key.toLowerCase();
          return !held.includes(lower) && crosses(lower, undefined);
        });
        expect(sent).toEqual(expected);
      }),
    );
  });
});
