import { randomUUID } from 'node:crypto';
import { ENDPOINT_EVENT } from '../../protocol/endpoint.ts';
import { firstEvent } from '../../protocol/event-stream.ts';
import type { Session } from './endpoint.ts';
import type { Findings } from './findings.ts';
import { isGood, speaksModern, whyNone } from './judge.ts';
import { isStream } from './messages.ts';
import { forEach, shuffled } from './pool.ts';
import { TooLate } from './request.ts';
import type { DoctorSettings } from './settings.ts';
import { Counter, spreadOf, type Spread, type Tally } from './tally.ts';
import type { Visitor } from './visitor.ts';

/** Of a fleet that is being upgraded some servers speak 2026-07-28: the question is asked so often. */
const ERA_QUESTIONS = 6;
/** So many sessions that were ended are called. */
const CALLED_AFTER_END = 5;
/** How long the head of an event stream may take, and the first event of HTTP+SSE (ms). */
const STREAM_PATIENCE = 5000;
const EVENT_PATIENCE = 2000;

/** What a step works with. */
export interface Scene {
  readonly visitor: Visitor;
  readonly settings: DoctorSettings;
  readonly signal: AbortSignal;
  /** Is told how far the step is. */
  readonly progress: (text: string) => void;
}

/** Does something for each of the items, and tells how far it is. */
async function each<T>(
  { settings, signal, progress }: Scene,
  what: string,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  let done = 0;
  await forEach(items, settings.concurrency, signal, async (item) => {
    progress(`${what} ${(done += 1)} of ${items.length}`);
    await work(item);
  });
}

export async function askEras(scene: Scene): Promise<Findings['eras']> {
  const { endpoint } = scene.visitor;
  let understood = 0;
  await each(scene, 'revisions: question', range(ERA_QUESTIONS), async () => {
    const answer = await endpoint.discover().catch(() => undefined);
    if (answer && speaksModern(answer)) understood += 1;
  });
  const stream = await endpoint.firstEvent(EVENT_PATIENCE).catch(() => undefined);
  const sse =
    stream !== undefined &&
    isGood(stream.status) &&
    isStream(stream) &&
    firstEvent(stream.bytes)?.name === ENDPOINT_EVENT;
  return { modern: { asked: ERA_QUESTIONS, understood }, sse };
}

export async function openSessions(scene: Scene): Promise<{
  readonly opened: readonly Session[];
  readonly refused: Tally;
  readonly times: Spread | undefined;
}> {
  const opened: Session[] = [];
  const refused = new Counter();
  const times: number[] = [];
  await each(scene, 'opening session', range(scene.settings.sessions), async () => {
    const opening = await scene.visitor.open();
    if (opening.kind === 'opened') {
      opened.push(opening.session);
      times.push(opening.ms);
    } else refused.count(opening.what);
  });
  return { opened, refused: refused.tally, times: spreadOf(times) };
}

export async function callSessions(
  scene: Scene,
  sessions: readonly Session[],
): Promise<{ readonly calls: Findings['calls']; readonly times: Spread | undefined }> {
  const calls = shuffled(range(scene.settings.calls).flatMap(() => sessions));
  const lost = new Counter();
  const failed = new Counter();
  const times: number[] = [];
  await each(scene, 'call', calls, async (session) => {
    const outcome = await scene.visitor.call(session);
    if (outcome.kind === 'reached') times.push(outcome.ms);
    else (outcome.kind === 'lost' ? lost : failed).count(outcome.what);
  });
  return {
    calls: { total: calls.length, reached: times.length, lost: lost.tally, failed: failed.tally },
    times: spreadOf(times),
  };
}

/** The answer to an id that nobody has issued. */
export async function askUnknownId(scene: Scene, version: string): Promise<string> {
  const outcome = await scene.visitor.call({ id: randomUUID(), version });
  return outcome.kind === 'reached' ? 'reached' : outcome.what;
}

export async function openStreams(
  scene: Scene,
  sessions: readonly Session[],
): Promise<Pick<Findings, 'streams' | 'streamHeads'>> {
  const streams = new Counter();
  const times: number[] = [];
  await each(scene, 'opening stream', sessions, async (session) => {
    try {
      const head = await scene.visitor.endpoint.stream(session, STREAM_PATIENCE);
      const open = isGood(head.status) && isStream(head);
      if (open) times.push(head.ms);
      streams.count(open ? 'open' : `HTTP ${head.status}`);
    } catch (error) {
      streams.count(error instanceof TooLate ? 'held back' : whyNone(error));
    }
  });
  const heads = spreadOf(times);
  return { streams: streams.tally, ...(heads && { streamHeads: heads }) };
}

export async function endSessions(
  scene: Scene,
  sessions: readonly Session[],
): Promise<Pick<Findings, 'endings' | 'afterEnd'>> {
  const endings = new Counter();
  const ended: Session[] = [];
  await each(scene, 'ending session', sessions, async (session) => {
    const status = await scene.visitor.end(session);
    if (typeof status === 'number' && isGood(status)) ended.push(session);
    endings.count(
      typeof status === 'string' ? status : isGood(status) ? 'ended' : `HTTP ${status}`,
    );
  });
  const afterEnd = new Counter();
  await each(scene, 'ended session', ended.slice(0, CALLED_AFTER_END), async (session) => {
    const outcome = await scene.visitor.call(session);
    afterEnd.count(outcome.kind === 'reached' ? 'reached' : outcome.what);
  });
  return { endings: endings.tally, afterEnd: afterEnd.tally };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
