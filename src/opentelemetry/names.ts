/**
 * Attributes of the semantic conventions for MCP, which are in development and therefore written down here. What they
 * do not have is under the name of this package: their own namespaces are not for others to add to.
 */
export const PROTOCOL_VERSION = 'mcp.protocol.version';
export const METHOD_NAME = 'mcp.method.name';
export const SESSION_ID = 'mcp.session.id';
export const ERROR_TYPE = 'error.type';

export const PREFIX = 'mcp_session_routing';
export const DECISION: string = `${PREFIX}.decision`;
export const REASON: string = `${PREFIX}.reason`;
export const BACKEND: string = `${PREFIX}.backend`;
export const STATE: string = `${PREFIX}.state`;
export const OPERATION: string = `${PREFIX}.operation`;
export const RESULT: string = `${PREFIX}.result`;
