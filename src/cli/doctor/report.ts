import type { Findings } from './findings.ts';
import { percent, shown, time, type Line } from './line.ts';
import { remedyFor } from './remedies.ts';
import { eraLine, latencyLines, leftLine } from './report-facts.ts';
import { sumOf, type Tally } from './tally.ts';

export interface Report {
  /** `ok`: every session was opened, and every call has reached its own. */
  readonly verdict: 'ok' | 'problem';
  readonly lines: readonly Line[];
}

const PIN =
  'Several servers stand behind this URL, and requests of a session are spread over them. Pin them by the ' +
  'middleware in a gateway of yours, or by a gateway of this package. Several gateways need one Redis.';
const GATEWAY = 'npx mcp-session-routing gateway --backend URL --backend URL';
const BUFFERED =
  'Something on the way waits for the first byte of an event stream, or keeps it back: ' +
  'for nginx it is "proxy_buffering off", for others a setting of that kind.';

/** How a server of 2026-07-28 alone refuses `initialize`; anything else is a failure there too. */
const KNOWS_NONE = /^(it knows no initialize|HTTP (200|400|404|405))$/;

export function reportOf(found: Findings): Report {
  const openings = openingLine(found);
  const calls = callLine(found);
  const all = [openings, calls, unknownIdLine(found), streamLine(found), endLine(found)];
  const lines = [...all, leftLine(found), eraLine(found), ...latencyLines(found)];
  const decisive = [openings, calls].every((line) => line === undefined || line.state === 'ok');
  return {
    verdict: decisive ? 'ok' : 'problem',
    lines: lines.filter((line) => line !== undefined),
  };
}

/** Only where some could not be opened. */
function openingLine({ asked, opened, refused, eras }: Findings): Line | undefined {
  const failed = sumOf(refused);
  const none = opened.sessions + opened.sessionless === 0;
  if (failed === 0) return undefined;
  const modernOnly = none && eras.modern.understood > 0;
  if (modernOnly && Object.keys(refused).every((what) => KNOWS_NONE.test(what))) return undefined;
  const says = `${failed} of ${asked.sessions} could not be opened: ${shown(refused)}`;
  const remedy =
    none && eras.sse
      ? 'This URL is of HTTP+SSE (2024-11-05), whose sessions are not examined: give that of Streamable HTTP.'
      : remedyFor(refused);
  return { about: 'sessions', state: 'problem', says, remedy };
}

function callLine({ calls, opened, unknownId }: Findings): Line | undefined {
  const { total, reached, lost, failed } = calls;
  if (total === 0) return undefined;
  const kept = opened.sessions > 0;
  const share = `${reached} of ${total} ${kept ? 'reached their session' : 'were answered'} (${percent(reached, total)} %)`;
  if (reached < total) {
    const others = `${share}; the others: ${shown({ ...lost, ...failed })}`;
    const advice =
      sumOf(lost) > 0 ? { remedy: PIN, command: GATEWAY } : { remedy: remedyFor(failed) };
    return { about: 'calls', state: 'problem', says: others, ...advice };
  }
  if (unknownId === 'reached') {
    return {
      about: 'calls',
      state: 'problem',
      says: `${total} of ${total} were answered, but so is an id that was never issued: nothing tells who has answered`,
      remedy: 'The servers do not look at Mcp-Session-Id. Their logs can tell where calls arrive.',
    };
  }
  const says = kept ? share : `${share}; the server keeps no sessions: nothing to pin`;
  return { about: 'calls', state: 'ok', says };
}

function unknownIdLine({ unknownId }: Findings): Line | undefined {
  const about = 'unknown id';
  if (unknownId === undefined || unknownId === 'reached') return undefined;
  if (unknownId === 'HTTP 404') {
    return { about, state: 'ok', says: `${unknownId}: clients start again` };
  }
  const says = `${unknownId}: clients start again on 404, and on nothing else`;
  const remedy =
    'After a restart without its sessions a server, or a gateway, should say 404; for a gateway of this package it is ' +
    '--unknown-session-status 404, or unknownSessionStatus: 404.';
  return { about, state: 'note', says, remedy };
}

function streamLine({ streams, streamHeads }: Findings): Line | undefined {
  const about = 'GET stream';
  const { open = 0, 'HTTP 405': none = 0, 'held back': heldBack = 0, ...others } = streams;
  const total = sumOf(streams);
  if (total === 0) return undefined;
  if (heldBack > 0) {
    const says = `${heldBack} of ${total} had no head in time`;
    return { about, state: 'problem', says, remedy: BUFFERED };
  }
  if (sumOf(others) > 0) {
    const says = `${sumOf(others)} of ${total} did not open: ${shown(others)}`;
    return { about, state: 'problem', says, remedy: remedyOfSession(others) };
  }
  if (open === 0) return { about, state: 'ok', says: 'HTTP 405: the server has none' };
  const says = `${open} of ${total} open, head after ${time(streamHeads?.median ?? 0)}`;
  return none > 0
    ? { about, state: 'note', says: `${says}; the others: HTTP 405, by other servers` }
    : { about, state: 'ok', says };
}

function endLine({ endings, afterEnd }: Findings): Line | undefined {
  const about = 'DELETE';
  const { ended = 0, 'HTTP 405': notAllowed = 0, ...others } = endings;
  const total = sumOf(endings);
  if (total === 0) return undefined;
  if (sumOf(others) > 0) {
    const says = `${sumOf(others)} of ${total} sessions were not ended: ${shown(others)}`;
    return { about, state: 'problem', says, remedy: remedyOfSession(others) };
  }
  if (notAllowed > 0) {
    const says = `HTTP 405: the server lets no client end a session`;
    const remedy = 'Sessions that nobody uses any more stay until the server gives them up.';
    return { about, state: 'note', says, remedy };
  }
  const { 'HTTP 404': over = 0, reached = 0, ...afterwards } = afterEnd;
  const says = `${ended} of ${total} sessions ended`;
  if (reached > 0) {
    const remedy = 'A server, or a gateway, goes on with a session that its client has ended.';
    return {
      about,
      state: 'problem',
      says: `${says}, and then ${reached} of ${sumOf(afterEnd)} calls were answered as before`,
      remedy,
    };
  }
  if (sumOf(afterwards) > 0) {
    const remedy = 'MCP wants 404 for a session that is over: clients start again on nothing else.';
    return { about, state: 'note', says: `${says}, then ${shown(afterwards)}`, remedy };
  }
  return { about, state: 'ok', says: over > 0 ? `${says}, then HTTP 404` : says };
}

/** What a GET or a DELETE of a session was refused by. */
function remedyOfSession(others: Tally): string {
  const [what] = Object.keys(others);
  return what === 'HTTP 404' || what === 'HTTP 400'
    ? 'It was answered by a server that does not know the session: see "calls".'
    : remedyFor(others);
}
