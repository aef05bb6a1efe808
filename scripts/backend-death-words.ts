import type { FrontResult } from '../bench/backend-death/result.ts';

export function keyFigures({ summary }: FrontResult): string {
  const { astray, slowestBack } = summary;
  const when =
    slowestBack === null ? 'not back in this run' : `back after ${seconds(slowestBack)} s`;
  return `clients of the dead backend ${when} · ${astray} requests reached a wrong backend`;
}

/** For those who cannot see the chart. */
export function sentenceOf({ title, summary }: FrontResult): string {
  const { ok, again, refused, error, broken } = summary.whileDead;
  const { astray, slowestBack } = summary;
  const when =
    slowestBack === null
      ? 'do not all work again in the run'
      : `all work again after ${seconds(slowestBack)} s`;
  return (
    `${title}: ${ok} answers 2xx, ${again} of 404, ${refused} other 4xx, ${error} of 5xx and ${broken} broken ` +
    `connections in the 10 s after the death; the clients of the dead backend ${when}; ` +
    `${astray} requests reached a wrong backend.`
  );
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
