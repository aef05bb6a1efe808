import { type Child, startChild } from './e2e-children.ts';

export interface GatewayProcess {
  /** `http://127.0.0.1:PORT/mcp` */
  readonly url: string;
  readonly child: Child;
}

/** The gateway people run, as they run it. */
export async function startGateway(
  settings: Record<string, string>,
  preloads: string[] = [],
): Promise<GatewayProcess> {
  const env = {
    PORT: '0',
    // Not those of the machine the tests run on.
    ...{
      HOST: '',
      BACKENDS: '',
      BACKENDS_FILE: '',
      MCP_PATH: '',
      MESSAGE_PATH: '',
      REDIS_URL: '',
      PROXY: process.env.E2E_PROXY ?? '',
    },
    ...{ REDIS_SENTINELS: '', REDIS_MASTER_NAME: '', REDIS_CLUSTER: '', REDIS_PASSWORD: '' },
    ...{ SESSION_TTL_SECONDS: '', UNKNOWN_SESSION_STATUS: '' },
    ...{ ALLOWED_ORIGINS: '', STORE_SECRET: '' },
    ...settings,
  };
  const child = startChild(['examples/gateway.ts'], env, preloads);
  return { url: await child.printed(/^listening on (\S+)$/m), child };
}

/** A way to a server on which requests and answers take so many milliseconds longer. */
export async function startSlowTcp(
  targetPort: number,
  { requests = 0, answers = 0 }: { requests?: number; answers?: number },
): Promise<{ port: number; child: Child }> {
  const env = {
    TARGET_PORT: String(targetPort),
    REQUESTS: String(requests),
    ANSWERS: String(answers),
  };
  const child = startChild(['__tests__/fixtures/e2e/slow-tcp.ts'], env);
  return { port: await child.port, child };
}
