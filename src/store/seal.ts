import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/**
 * Seals a text so that only who has the session id can read it. A store holds no session id, and so neither the ids
 * that backends use, nor what clients have said, can be read out of it.
 *
 * @param purpose what is sealed under one purpose cannot be passed off as something else
 */
export function seal(sessionId: string, purpose: string, text: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, keyFor(sessionId, purpose), iv);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** The text; `undefined` if it was not sealed for this session and purpose, or was changed. */
export function unseal(sessionId: string, purpose: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
  const iv = bytes.subarray(0, IV_BYTES);
  const text = IV_BYTES + TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, keyFor(sessionId, purpose), iv);
  decipher.setAuthTag(bytes.subarray(IV_BYTES, text));
  try {
    return decipher.update(bytes.subarray(text), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}

/**
 * Marks a principal so that only who has the session id can tell whose mark it is: a store holds neither, and marks of
 * two sessions of one principal differ.
 */
export function markOf(sessionId: string, principal: string): string {
  return createHmac('sha256', sessionId)
    .update(`mcp-session-routing principal ${principal}`)
    .digest('base64url');
}

function keyFor(sessionId: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', sessionId, '', `mcp-session-routing ${purpose}`, 32));
}
