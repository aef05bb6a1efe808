/** A method's type, so that listeners may say which arguments they expect. */
type Listener = { call(...args: unknown[]): void }['call'];

/** What is used of the proxy server of http-proxy-middleware 3 (http-proxy) and 4 (httpxy). */
export interface ProxyServerLike {
  on(event: string, listener: Listener): unknown;
  listeners(event: string): unknown[];
  removeAllListeners(event: string): unknown;
}

/** What is used of the options of http-proxy-middleware 3 and 4. */
export interface ProxyOptionsLike {
  agent?: unknown;
  router?: unknown;
  on?: { error?: unknown };
  ejectPlugins?: unknown;
  pathFilter?: unknown;
  ignorePath?: unknown;
  toProxy?: unknown;
  forward?: unknown;
  secure?: unknown;
  changeOrigin?: unknown;
  selfHandleResponse?: unknown;
}
