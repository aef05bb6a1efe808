import { isModern } from '../../protocol/revision.ts';
import type { Session } from './endpoint.ts';
import type { Comparison, Pair } from './findings.ts';
import type { Scene } from './steps.ts';
import { spreadOf } from './tally.ts';
import { Visitor } from './visitor.ts';

/** So many of each are sent both ways. */
const OPENINGS = 10;
const CALLS = 50;

/** One of the two ways to a server, and how long answers took on it. */
interface Way {
  readonly visitor: Visitor;
  readonly openings: number[];
  readonly calls: number[];
}

/** Sends the same requests to the endpoint and to one server itself, in turn, so that both meet the same machine. */
export async function compare(
  scene: Scene,
  direct: URL,
  caller: Session,
): Promise<Comparison & { readonly left: number }> {
  const { settings, signal } = scene;
  const through = wayTo(new Visitor(settings.url, settings, signal));
  const straight = wayTo(new Visitor(direct, settings, signal));
  let left = 0;
  let compared: Comparison;
  try {
    compared = await send(scene, [through, straight], caller);
  } finally {
    for (const { visitor } of [through, straight]) left += await visitor.leave();
  }
  return { ...compared, left };
}

async function send(
  { signal, progress }: Scene,
  ways: readonly [through: Way, straight: Way],
  caller: Session,
): Promise<Comparison> {
  const [through, straight] = ways;
  const openings = isModern(caller.version) ? 0 : OPENINGS;
  let sessions: Session[] = [];
  for (let at = 0; at < openings && !signal.aborted; at += 1) {
    progress(`comparing initialize ${at + 1} of ${openings}`);
    sessions = [];
    for (const way of ways) {
      const opening = await way.visitor.open();
      if (opening.kind === 'refused') {
        const who = way === straight ? 'the direct URL' : 'the endpoint';
        return { refused: `${who}: ${opening.what}` };
      }
      sessions.push(opening.session);
      way.openings.push(opening.ms);
    }
  }
  for (let at = 0; at < CALLS && !signal.aborted; at += 1) {
    progress(`comparing call ${at + 1} of ${CALLS}`);
    for (const [index, way] of ways.entries()) {
      const outcome = await way.visitor.call(sessions[index] ?? caller);
      if (outcome.kind === 'reached') way.calls.push(outcome.ms);
    }
  }
  const initialize = pairOf(through.openings, straight.openings);
  const call = pairOf(through.calls, straight.calls);
  return { ...(initialize && { initialize }), ...(call && { call }) };
}

function wayTo(visitor: Visitor): Way {
  return { visitor, openings: [], calls: [] };
}

/** Medians; `undefined` where one of the ways has none. */
function pairOf(through: readonly number[], direct: readonly number[]): Pair | undefined {
  const [one, other] = [spreadOf(through), spreadOf(direct)];
  return one && other ? { through: one.median, direct: other.median } : undefined;
}
