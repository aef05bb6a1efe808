/** Name of the header that ties the requests of a session together, as node:http spells it. */
export const SESSION_HEADER = 'mcp-session-id';

/** Name of the header every request after `initialize` carries since revision 2025-06-18. */
export const PROTOCOL_VERSION_HEADER = 'mcp-protocol-version';

/** Longest session id that is accepted, in characters. */
export const MAX_SESSION_ID_LENGTH = 1024;

// session-id = 1*1024( %x21-7E )   ; "visible ASCII", Streamable HTTP, Session Management
// A header sent twice reaches us joined by ", ": the space fails this grammar.
const SESSION_ID = /^[\x21-\x7e]{1,1024}$/;

/** Whether the value may be a session id (MCP 2025-03-26 to 2025-11-25, Transports, Session Management). */
export function isSessionId(value: string): boolean {
  return SESSION_ID.test(value);
}
