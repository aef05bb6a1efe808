import { describe, expect, jest, test } from '@jest/globals';
import { counting } from '../../src/counters.ts';
import { Observers, type Observer } from '../../src/observers.ts';
import type { Logger, SessionEvents } from '../../src/options.ts';
import { reporterOf } from '../../src/reporter.ts';

const KEY = '0123456789abcdef'.repeat(4);
const SHORT = KEY.slice(0, 12);

function told(): {
  logger: Logger;
  on: Required<SessionEvents>;
  lines: string[];
  events: unknown[];
  time: { now: number };
} {
  const lines: string[] = [];
  const events: unknown[] = [];
  const at = (level: string) => (line: string) => void lines.push(`${level}: ${line}`);
  const note = (event: unknown): void => void events.push(event);
  return {
    logger: { info: at('info'), warn: at('warn'), error: at('error') },
    on: {
      ...{ opened: note, ended: note, refused: note, storeFailed: note },
      ...{ backendDown: note, backendUp: note, discoveryFailed: note, recovered: note },
    },
    lines,
    events,
    time: { now: 0 },
  };
}

function observedBy(...all: Observer[]): Observers {
  const observers = new Observers();
  for (const each of all) observers.add(each);
  return observers;
}

describe('G1: what is reported', () => {
  test('names a session by the first 12 digits of its key', () => {
    const { logger, on, lines, events } = told();
    const reporter = observedBy(reporterOf({ logger, on }, () => 0));
    reporter.opened(KEY, 'http://a');
    reporter.opened(KEY, undefined);
    reporter.ended(KEY, 'deleted');
    reporter.refused('unknown_session', KEY);
    reporter.refused('no_backend', undefined);
    reporter.refused('session_lost', undefined);
    reporter.refused('store_unavailable', KEY);
    expect(lines).toEqual([
      `info: session ${SHORT} opened on http://a`,
      `info: session ${SHORT} opened on the default target`,
      `info: session ${SHORT} ended (deleted)`,
      'warn: no_backend (503)',
      `warn: store_unavailable (503), session ${SHORT}`,
    ]);
    expect(events).toEqual([
      { session: SHORT, backend: 'http://a' },
      { session: SHORT, backend: undefined },
      { session: SHORT, reason: 'deleted' },
      { reason: 'unknown_session', session: SHORT },
      { reason: 'no_backend', session: undefined },
      { reason: 'session_lost', session: undefined },
      { reason: 'store_unavailable', session: SHORT },
    ]);
  });

  test('what fails on every request is logged once a second, and told to listeners each time', () => {
    const { logger, on, lines, events, time } = told();
    const reporter = observedBy(reporterOf({ logger, on }, () => time.now));
    const logged: [number, string[]][] = [];
    for (time.now of [0, 1, 999, 1000, 1999, 2000]) {
      reporter.storeFailed('down', 'read');
      reporter.discoveryFailed('gone');
      logged.push([time.now, lines.splice(0)]);
    }
    const both = [
      'error: session store failed (read): down',
      'error: backends could not be listed: gone',
    ];
    expect(logged.filter(([, what]) => what.length > 0)).toEqual([
      [0, both],
      [1000, both],
      [2000, both],
    ]);
    expect(events).toHaveLength(12);
    expect(events.slice(0, 2)).toEqual([{ error: 'down', during: 'read' }, { error: 'gone' }]);
  });

  test('counts also where listeners and the logger throw', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const fail = (): never => {
      throw new Error('out of order');
    };
    const on = { opened: fail, ended: fail, refused: fail, storeFailed: fail };
    const { observer, counters } = counting();
    const failing = reporterOf({ logger: { info: fail, warn: fail, error: fail }, on }, () => 0);
    const reporter = observedBy(failing, { opened: fail, refused: fail }, observer);
    reporter.opened(KEY, 'http://a');
    reporter.ended(KEY, 'deleted');
    reporter.refused('no_backend', undefined);
    reporter.storeFailed('down', 'read');
    expect(counters()).toMatchObject({ opened: 1, ended: 1, storeFailures: 1 });
    expect(warn).toHaveBeenCalledTimes(10);
    warn.mockRestore();
  });
});
