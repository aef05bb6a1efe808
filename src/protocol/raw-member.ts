/**
 * The text of a member's value in a JSON object, exactly as it is written; of several members with that name
 * the last one, as `JSON.parse` does. The text must be valid JSON (`JSON.parse` has taken it); anything but
 * an object has no members.
 */
export function rawMember(json: string, name: string): string | undefined {
  let at = skipBlank(json, 0);
  if (json[at] !== '{') return undefined;
  let found: string | undefined;
  at = skipBlank(json, at + 1);
  while (json[at] === '"') {
    const keyEnd = skipString(json, at);
    const key: unknown = JSON.parse(json.slice(at, keyEnd));
    const start = skipBlank(json, skipBlank(json, keyEnd) + 1);
    const end = skipValue(json, start);
    if (key === name) found = json.slice(start, end).trimEnd();
    // Past the comma, or past the brace, after which there is no other member.
    at = skipBlank(json, end + 1);
  }
  return found;
}

function skipBlank(json: string, from: number): number {
  let at = from;
  while (json[at] === ' ' || json[at] === '\n' || json[at] === '\r' || json[at] === '\t') at += 1;
  return at;
}

function skipString(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** To the comma, or to the brace, behind the value. */
function skipValue(json: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < json.length) {
    const char = json[at];
    if (depth === 0 && (char === ',' || char === '}')) break;
    if (char === '{' || char === '[') depth += 1;
    if (char === '}' || char === ']') depth -= 1;
    at = char === '"' ? skipString(json, at) : at + 1;
  }
  return at;
}
