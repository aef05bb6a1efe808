/** The first event of a stream that has data, and where it stands. */
export interface FirstEvent {
  /** Where its block begins, and ends behind the blank line. */
  readonly start: number;
  readonly end: number;
  /** `message` unless the block names it. */
  readonly name: string;
  readonly data: string;
}

// stream = [ bom ] *event ; event = *( comment / field ) end-of-line
// end-of-line = ( cr lf / cr / lf ) ; HTML, 9.2.5
const BLANK_LINE = /(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r(?!\n)|\n)/g;
const LINES = /\r\n|\r|\n/;

/**
 * The first event with data (HTML, 9.2.6: a block without is none); `undefined` while it is not complete. The text
 * is taken byte by byte (latin1), so that its places are those of the bytes.
 */
export function firstEvent(text: string): FirstEvent | undefined {
  for (const { start, end, fields } of blocksOf(text)) {
    const data = fields.filter(([name]) => name === 'data').map(([, value]) => value);
    const names = fields.filter(([name]) => name === 'event').map(([, value]) => value);
    if (data.length > 0) {
      return { start, end, name: names.at(-1) ?? 'message', data: data.join('\n') };
    }
  }
  return undefined;
}

/** Where what is complete in front of the first event ends: comments, which keep a connection alive, and the like. */
export function endOfComments(text: string): number {
  let past = 0;
  for (const { end, fields } of blocksOf(text)) {
    if (fields.some(([name]) => name === 'data')) break;
    past = end;
  }
  return past;
}

interface Block {
  readonly start: number;
  readonly end: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** What is complete of a stream, up to each blank line. */
function* blocksOf(text: string): Generator<Block> {
  let start = text.startsWith('\xef\xbb\xbf') ? 3 : 0;
  for (const blank of text.matchAll(BLANK_LINE)) {
    // A lone CR at the end may be the first half of CR LF.
    const end = blank.index + blank[0].length;
    if (end < start || (blank[0].endsWith('\r') && end === text.length)) continue;
    yield { start, end, fields: fieldsOf(text.slice(start, blank.index)) };
    start = end;
  }
}

/** The stream with other data in that event, which has one line of it; all else stays byte for byte. */
export function withData(text: string, event: FirstEvent, data: string): string {
  const block = text.slice(event.start, event.end);
  // field = "data" [ ":" [ space ] *any-char ] end-of-line ; HTML, 9.2.5: "database: x" is another one
  const written = block.replace(/^data(?::[^\r\n]*|$)/m, () => `data: ${data}`);
  return text.slice(0, event.start) + written + text.slice(event.end);
}

function fieldsOf(block: string): (readonly [name: string, value: string])[] {
  return block
    .split(LINES)
    .filter((line) => line !== '' && !line.startsWith(':'))
    .map((line) => {
      const colon = line.indexOf(':');
      if (colon === -1) return [line, ''] as const;
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')] as const;
    });
}
