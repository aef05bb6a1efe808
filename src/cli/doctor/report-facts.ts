import type { Findings, Pair } from './findings.ts';
import { time, type Line } from './line.ts';
import type { Spread } from './tally.ts';

export function leftLine({ left }: Findings): Line | undefined {
  if (left === 0) return undefined;
  const says = `${left} ${left === 1 ? 'session' : 'sessions'} of this examination could not be ended`;
  const remedy = 'A server forgets them when it has not heard of them for long enough.';
  return { about: 'left behind', state: 'note', says, remedy };
}

export function eraLine({ revisions, eras, opened }: Findings): Line {
  const { asked, understood } = eras.modern;
  const some = understood > 0 && understood < asked;
  const spoken = [
    ...(revisions.length > 0
      ? [`${revisions.join(', ')} ${opened.sessions > 0 ? 'with' : 'without'} sessions`]
      : []),
    ...(understood > 0 ? [`2026-07-28${some ? ` (${understood} of ${asked} answers)` : ''}`] : []),
    ...(eras.sse ? ['2024-11-05 (HTTP+SSE)'] : []),
  ];
  const says = spoken.length > 0 ? spoken.join('; ') : 'none that was asked for';
  if (!some) return { about: 'revisions', state: 'info', says };
  const remedy =
    'Servers of both kinds stand behind this URL: clients of 2026-07-28 need a gateway that knows which is which.';
  return { about: 'revisions', state: 'note', says, remedy };
}

export function latencyLines({ latency, direct }: Findings): Line[] {
  const { initialize, call } = latency;
  const spread = (name: string, times: Spread | undefined): string[] =>
    times ? [`${name} ${time(times.median)} (p99 ${time(times.p99)})`] : [];
  const times = [...spread('initialize', initialize), ...spread('call', call)];
  if (times.length === 0) return [];
  const measured: Line = {
    about: 'time',
    state: 'info',
    says: `${times.join(', ')}, each with a connection of its own`,
  };
  return direct ? [measured, addedLine(direct)] : [measured];
}

function addedLine({ initialize, call, refused }: NonNullable<Findings['direct']>): Line {
  const about = 'added';
  const added = (name: string, pair: Pair | undefined): string[] =>
    pair ? [`${name} ${time(pair.through - pair.direct)} (direct ${time(pair.direct)})`] : [];
  const all = [...added('initialize', initialize), ...added('call', call)];
  if (all.length > 0) return { about, state: 'info', says: all.join(', ') };
  return { about, state: 'note', says: `not known: ${refused ?? 'no call was answered'}` };
}
