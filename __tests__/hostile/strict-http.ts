/** A message as it came off the wire; text is latin1, which keeps every byte apart. */
export interface Message {
  /** The request line or the status line. */
  readonly start: string;
  /** Names in lower case, in the order of arrival. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Taken out of its chunks. */
  readonly body: string;
  /** The whole of it has arrived. */
  readonly complete: boolean;
}

// request-line = token SP request-target SP HTTP-version ; RFC 9112, 3; only the origin form reaches a backend
const REQUEST_LINE = /^[!#$%&'*+.^_`|~\w-]+ \/[\x21-\x7e\x80-\xff]* HTTP\/1\.1$/;
// status-line = HTTP-version SP 3DIGIT SP [ reason-phrase ] ; RFC 9112, 4
const STATUS_LINE = /^HTTP\/1\.1 [1-5]\d\d [\t\x20-\x7e\x80-\xff]*$/;
// field-line = token ":" OWS *( HTAB / SP / VCHAR / obs-text ) OWS ; RFC 9112, 5, without obs-fold
const FIELD_LINE = /^([!#$%&'*+.^_`|~\w-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;

/**
 * Reads requests as RFC 9112 has them, and not otherwise: what any reader could take for something else is an error.
 * @throws {Error} with the bytes that are wrong
 */
export function readRequests(text: string): Message[] {
  return readMessages(text, REQUEST_LINE, () => 'no-body');
}

/** The same for answers; `toHead`: the first of them is the answer to HEAD. */
export function readAnswers(text: string, toHead = false): Message[] {
  return readMessages(text, STATUS_LINE, (start, count) => {
    const status = Number(start.slice(9, 12));
    const bodiless = status < 200 || status === 204 || status === 304 || (toHead && count === 0);
    return bodiless ? 'never' : 'until-close';
  });
}

/** How long a body is that no header tells the length of; `never`: there is none, whatever headers say. */
type Unframed = 'no-body' | 'until-close' | 'never';

function readMessages(
  text: string,
  startLine: RegExp,
  unframed: (start: string, count: number) => Unframed,
): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < text.length;) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd === -1) {
      messages.push({ start: text.slice(at), headers: [], body: '', complete: false });
      break;
    }
    const [start = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    if (!startLine.test(start)) throw new Error(`not a start line: ${JSON.stringify(start)}`);
    const headers = lines.map(fieldOf);
    const body = readBody(text, headEnd + 4, headers, unframed(start, messages.length));
    messages.push({ start, headers, body: body.text, complete: body.end !== undefined });
    if (body.end === undefined) break;
    at = body.end;
  }
  return messages;
}

function fieldOf(line: string): [string, string] {
  const [, name, value] = FIELD_LINE.exec(line) ?? [];
  if (name === undefined) throw new Error(`not a header: ${JSON.stringify(line)}`);
  return [name.toLowerCase(), value?.trim() ?? ''];
}

/** `end`: where the next message begins; `undefined`: there is more to come. */
interface Body {
  readonly text: string;
  readonly end: number | undefined;
}

function readBody(
  text: string,
  at: number,
  headers: readonly (readonly [string, string])[],
  unframed: Unframed,
): Body {
  const valuesOf = (name: string): string[] =>
    headers.flatMap(([each, value]) => (each === name ? [value] : []));
  const [coding, ...codings] = valuesOf('transfer-encoding');
  const [length, ...lengths] = valuesOf('content-length');
  if (codings.length + lengths.length > 0 || (coding !== undefined && length !== undefined))
    throw new Error('framed in two ways');
  if (unframed === 'never') return { text: '', end: at };
  if (coding !== undefined) {
    if (coding !== 'chunked') throw new Error(`not a coding: ${coding}`);
    return readChunks(text, at);
  }
  if (length === undefined) {
    return {
      text: unframed === 'no-body' ? '' : text.slice(at),
      end: unframed === 'no-body' ? at : text.length,
    };
  }
  if (!/^\d{1,15}$/.test(length)) throw new Error(`not a length: ${length}`);
  const end = at + Number(length);
  return { text: text.slice(at, end), end: end <= text.length ? end : undefined };
}

function readChunks(text: string, first: number): Body {
  let body = '';
  for (let at = first; ;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return { text: body, end: undefined };
    const line = text.slice(at, lineEnd);
    if (!/^[\da-f]{1,12}$/i.test(line)) throw new Error(`not a chunk: ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    const next = lineEnd + 2 + size + 2;
    if (size === 0) return { text: body, end: trailersEnd(text, lineEnd + 2) };
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    if (text.length < next) return { text: body, end: undefined };
    if (text.slice(next - 2, next) !== '\r\n') throw new Error('a chunk is longer than it says');
    at = next;
  }
}

function trailersEnd(text: string, first: number): number | undefined {
  for (let at = first; ;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    if (lineEnd === at) return lineEnd + 2;
    fieldOf(text.slice(at, lineEnd));
    at = lineEnd + 2;
  }
}
