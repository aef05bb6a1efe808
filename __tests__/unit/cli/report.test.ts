import { describe, expect, it } from '@jest/globals';
import type { Findings } from '../../../src/cli/doctor/findings.ts';
import type { Line } from '../../../src/cli/doctor/line.ts';
import { forEach, shuffled } from '../../../src/cli/doctor/pool.ts';
import { reportOf, type Report } from '../../../src/cli/doctor/report.ts';
import { Counter, spreadOf } from '../../../src/cli/doctor/tally.ts';

/** All is well. */
const WELL: Findings = {
  asked: { sessions: 30, calls: 10, concurrency: 10 },
  opened: { sessions: 30, sessionless: 0 },
  refused: {},
  revisions: ['2025-11-25'],
  calls: { total: 300, reached: 300, lost: {}, failed: {} },
  unknownId: 'HTTP 404',
  streams: { open: 5 },
  streamHeads: { median: 4, p99: 9 },
  endings: { ended: 30 },
  afterEnd: { 'HTTP 404': 5 },
  eras: { modern: { asked: 6, understood: 0 }, sse: false },
  latency: { initialize: { median: 3.14, p99: 12.2 }, call: { median: 1, p99: 2 } },
  left: 0,
};
const NONE_OPENED: Partial<Findings> = {
  opened: { sessions: 0, sessionless: 0 },
  refused: { ECONNREFUSED: 30 },
  revisions: [],
  calls: { total: 0, reached: 0, lost: {}, failed: {} },
  ...{ streams: {}, endings: {}, afterEnd: {}, latency: {} },
};

function report(found: Partial<Findings> = {}): Report {
  return reportOf({ ...WELL, ...found });
}

function line(about: string, found: Partial<Findings>): Line | undefined {
  return report(found).lines.find((each) => each.about === about);
}

const lost = { total: 300, reached: 101, lost: { 'HTTP 404': 199 }, failed: {} };

describe('the report', () => {
  it('is OK where all is well', () => {
    const { verdict, lines } = report();
    expect(verdict).toBe('ok');
    expect(lines.map(({ about, state, says }) => `${state} ${about}: ${says}`)).toEqual([
      'ok calls: 300 of 300 reached their session (100 %)',
      'ok unknown id: HTTP 404: clients start again',
      'ok GET stream: 5 of 5 open, head after 4.0 ms',
      'ok DELETE: 30 of 30 sessions ended, then HTTP 404',
      'info revisions: 2025-11-25 with sessions',
      'info time: initialize 3.1 ms (p99 12 ms), call 1.0 ms (p99 2.0 ms), each with a connection of its own',
    ]);
  });

  it.each<[string, Partial<Findings>, string, RegExp]>([
    [
      'some are lost',
      { calls: lost },
      '101 of 300 reached their session (34 %)',
      /Pin them by the middleware/,
    ],
    [
      'one is lost',
      { calls: { ...lost, reached: 299, lost: { 'HTTP 404': 1 } } },
      '(99 %); the others: 1 x HTTP 404',
      /Pin them by the middleware/,
    ],
    [
      'some fail',
      { calls: { ...lost, lost: {}, failed: { 'HTTP 503': 199 } } },
      'the others: 199 x HTTP 503',
      /look at their logs/,
    ],
    [
      'nobody looks at ids',
      { unknownId: 'reached' },
      'so is an id that was never issued',
      /do not look at Mcp-Session-Id/,
    ],
  ])('is a PROBLEM for the calls where %s', (_, found, says, remedy) => {
    const calls = line('calls', found);
    expect(calls?.state).toBe('problem');
    expect(calls?.says).toContain(says);
    expect(calls?.remedy).toMatch(remedy);
    expect(report(found).verdict).toBe('problem');
  });

  it.each<[Findings['refused'], RegExp]>([
    [{ ECONNREFUSED: 30 }, /Nothing listens there/],
    [{ ENOTFOUND: 30 }, /name of the host/],
    [{ 'HTTP 401': 30 }, /--header/],
    [{ 'HTTP 404': 30 }, /path of the MCP endpoint/],
    [{ 'HTTP 429': 30 }, /lower --concurrency/],
    [{ 'HTTP 308': 30 }, /give that URL/],
    [{ SELF_SIGNED_CERT_IN_CHAIN: 30 }, /--insecure/],
    [{ DEPTH_ZERO_SELF_SIGNED_CERT: 30 }, /--insecure/],
    [{ UNABLE_TO_VERIFY_LEAF_SIGNATURE: 30 }, /--insecure/],
    [{ EPROTO: 30 }, /http:\/\//],
    [{ 'no answer in time': 30 }, /--timeout/],
    [{ 'HTTP 418': 30 }, /logs/],
  ])('is a PROBLEM where no session can be opened: %j', (refused, remedy) => {
    const sessions = line('sessions', { ...NONE_OPENED, refused });
    expect(sessions?.state).toBe('problem');
    expect(sessions?.remedy).toMatch(remedy);
    expect(report({ ...NONE_OPENED, refused }).verdict).toBe('problem');
  });

  it('is a PROBLEM where some sessions cannot be opened, though all calls of the others arrive', () => {
    const { verdict, lines } = report({ refused: { 'HTTP 503': 2 } });
    expect(verdict).toBe('problem');
    expect(lines[0]?.says).toBe('2 of 30 could not be opened: 2 x HTTP 503');
  });

  it.each(['no answer in time', 'HTTP 503', 'HTTP 401', 'ECONNRESET'])(
    'is a PROBLEM where initialize fails, though 2026-07-28 is spoken: %s',
    (what) => {
      const eras = { modern: { asked: 6, understood: 6 }, sse: false };
      const calls = { total: 300, reached: 300, lost: {}, failed: {} };
      const found = { ...NONE_OPENED, refused: { [what]: 30 }, eras, calls };
      expect(report(found).verdict).toBe('problem');
      expect(report({ ...found, refused: { 'it knows no initialize': 30 } }).verdict).toBe('ok');
    },
  );

  it('names HTTP+SSE where that is all that is spoken', () => {
    const eras = { modern: { asked: 6, understood: 0 }, sse: true };
    expect(line('sessions', { ...NONE_OPENED, eras })?.remedy).toMatch(/HTTP\+SSE \(2024-11-05\)/);
    expect(line('revisions', { ...NONE_OPENED, eras })?.says).toBe('2024-11-05 (HTTP+SSE)');
  });

  it('is OK where a server keeps no sessions', () => {
    const found = { opened: { sessions: 0, sessionless: 30 }, streams: {}, endings: {} };
    expect(line('calls', found)?.says).toBe(
      '300 of 300 were answered (100 %); the server keeps no sessions: nothing to pin',
    );
    expect(line('revisions', found)?.says).toBe('2025-11-25 without sessions');
    expect(report(found).verdict).toBe('ok');
  });

  it('is OK where a server speaks 2026-07-28 alone', () => {
    const eras = { modern: { asked: 6, understood: 6 }, sse: false };
    const found = {
      ...NONE_OPENED,
      refused: { 'it knows no initialize': 30 },
      calls: WELL.calls,
      eras,
    };
    expect(report(found).verdict).toBe('ok');
    expect(line('revisions', found)?.says).toBe('2026-07-28');
  });

  it.each<[string, Partial<Findings>, Line['state'], RegExp]>([
    ['unknown id', { unknownId: 'HTTP 400' }, 'note', /clients start again on 404, and on nothing/],
    ['GET stream', { streams: { 'HTTP 405': 5 } }, 'ok', /^HTTP 405: the server has none$/],
    ['GET stream', { streams: { open: 3, 'HTTP 405': 2 } }, 'note', /by other servers/],
    ['GET stream', { streams: { open: 3, 'held back': 2 } }, 'problem', /^2 of 5 had no head/],
    ['GET stream', { streams: { open: 3, 'HTTP 404': 2 } }, 'problem', /2 of 5 did not open/],
    ['DELETE', { endings: { 'HTTP 405': 30 } }, 'note', /^HTTP 405: the server lets no client/],
    ['DELETE', { endings: { ended: 9, 'HTTP 404': 21 } }, 'problem', /^21 of 30 sessions were not/],
    [
      'DELETE',
      { afterEnd: { reached: 5 } },
      'problem',
      /then 5 of 5 calls were answered as before/,
    ],
    ['DELETE', { afterEnd: { 'HTTP 400': 5 } }, 'note', /then 5 x HTTP 400$/],
    ['left behind', { left: 1 }, 'note', /^1 session of this examination/],
    [
      'revisions',
      { eras: { modern: { asked: 6, understood: 2 }, sse: false } },
      'note',
      /; 2026-07-28 \(2 of 6 answers\)$/,
    ],
    [
      'added',
      { direct: { initialize: { through: 3, direct: 1 }, call: { through: 1.5, direct: 1.6 } } },
      'info',
      /^initialize 2\.0 ms \(direct 1\.0 ms\), call -0\.1 ms \(direct 1\.6 ms\)$/,
    ],
    [
      'added',
      { direct: { refused: 'the direct URL: HTTP 404' } },
      'note',
      /^not known: the direct/,
    ],
    ['added', { direct: {} }, 'note', /no call was answered/],
  ])('has a line about %s: %j', (about, found, state, says) => {
    const told = line(about, found);
    expect(told?.state).toBe(state);
    expect(told?.says).toMatch(says);
    // These decide nothing: whether calls reach their session does.
    expect(report(found).verdict).toBe('ok');
  });
});

describe('a count', () => {
  it('has the most frequent first', () => {
    const counter = new Counter();
    for (const what of ['a', 'b', 'b']) counter.count(what);
    expect(Object.entries(counter.tally)).toEqual([
      ['b', 2],
      ['a', 1],
    ]);
  });

  it('of times has a median and a p99', () => {
    const times = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(spreadOf(times)).toEqual({ median: 101, p99: 199 });
    expect(spreadOf([7])).toEqual({ median: 7, p99: 7 });
    expect(spreadOf([])).toBeUndefined();
  });
});

describe('work for many', () => {
  it('is never done for more at a time than was said', async () => {
    const seen: number[] = [];
    let now = 0;
    await forEach(
      Array.from({ length: 20 }, (_, index) => index),
      3,
      new AbortController().signal,
      async () => {
        seen.push((now += 1));
        await Promise.resolve();
        now -= 1;
      },
    );
    expect(seen).toHaveLength(20);
    expect(Math.max(...seen)).toBe(3);
  });

  it('is not begun any more once it was stopped', async () => {
    const stop = new AbortController();
    const done: number[] = [];
    await forEach([1, 2, 3], 1, stop.signal, async (item) => {
      done.push(item);
      stop.abort();
    });
    expect(done).toEqual([1]);
  });

  it('is done in another order, for each once', () => {
    expect(shuffled([1, 2, 3, 4], () => 0)).toEqual([2, 3, 4, 1]);
    expect(shuffled(['a', 'b', 'c']).toSorted((a, b) => a.localeCompare(b))).toEqual([
      ...['a', 'b', 'c'],
    ]);
  });
});
