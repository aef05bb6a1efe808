/** The first revision without sessions. */
const FIRST_MODERN = '2026-07-28';

/** The modern revisions whose transport is known: it has POST only (MCP 2026-07-28, Transports, Streamable HTTP). */
const KNOWN_MODERN: ReadonlySet<string> = new Set([FIRST_MODERN]);

// revision = 4DIGIT "-" 2DIGIT "-" 2DIGIT ; MCP, Versioning
const REVISION = /^\d{4}-\d{2}-\d{2}$/;

/** Whether `MCP-Protocol-Version` names a revision without sessions: 2026-07-28 or later. */
export function isModern(version: string | undefined): boolean {
  return version !== undefined && REVISION.test(version) && version >= FIRST_MODERN;
}

/** Whether the revision is known to have no GET and no DELETE. */
export function hasPostOnly(version: string | undefined): boolean {
  return version !== undefined && KNOWN_MODERN.has(version);
}
