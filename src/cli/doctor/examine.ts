import { compare } from './compare.ts';
import { MODERN, type Session } from './endpoint.ts';
import type { Findings } from './findings.ts';
import type { DoctorSettings } from './settings.ts';
import {
  askEras,
  askUnknownId,
  callSessions,
  endSessions,
  openSessions,
  openStreams,
  type Scene,
} from './steps.ts';
import { Visitor } from './visitor.ts';

/** So many sessions open their event stream. */
const STREAMS = 5;

/**
 * Examines an endpoint as clients behind a load balancer use it, and leaves no session behind, if it is stopped too.
 * Rejects if it was stopped.
 */
export async function examine(
  settings: DoctorSettings,
  signal: AbortSignal,
  progress: (text: string) => void,
): Promise<Findings> {
  const visitor = new Visitor(settings.url, settings, signal);
  let left = 0;
  let found: Findings;
  try {
    found = await find({ visitor, settings, signal, progress });
  } finally {
    progress('ending what is still open');
    left = await visitor.leave();
  }
  signal.throwIfAborted();
  return { ...found, left: found.left + left };
}

/** `left` is of what was compared alone. */
async function find(scene: Scene): Promise<Findings> {
  const { settings } = scene;
  const { sessions, calls, concurrency, direct } = settings;
  const eras = await askEras(scene);
  const { opened, refused, times: openingTimes } = await openSessions(scene);
  const withId = opened.filter(({ id }) => id !== undefined);
  const callers = callersOf(opened, eras, sessions);
  const called = await callSessions(scene, callers);
  const [first] = withId;
  const unknownId = first && (await askUnknownId(scene, first.version));
  const streams = await openStreams(scene, withId.slice(0, STREAMS));
  const [caller] = callers;
  const compared = direct && caller ? await compare(scene, direct, caller) : undefined;
  const { left = 0, ...comparison } = compared ?? {};
  const endings = await endSessions(scene, withId);
  return {
    asked: { sessions, calls, concurrency },
    opened: { sessions: withId.length, sessionless: opened.length - withId.length },
    refused,
    revisions: [...new Set(opened.map(({ version }) => version))].toSorted(),
    calls: called.calls,
    ...(unknownId !== undefined && { unknownId }),
    ...streams,
    ...endings,
    eras,
    latency: {
      ...(openingTimes && { initialize: openingTimes }),
      ...(called.times && { call: called.times }),
    },
    ...(compared && { direct: comparison }),
    left,
  };
}

/** Who calls: a server of 2026-07-28 alone opens nothing, and has requests all the same. */
function callersOf(
  opened: readonly Session[],
  { modern }: Findings['eras'],
  sessions: number,
): readonly Session[] {
  if (opened.length > 0 || modern.understood === 0) return opened;
  return Array.from({ length: sessions }, () => ({ id: undefined, version: MODERN }));
}
