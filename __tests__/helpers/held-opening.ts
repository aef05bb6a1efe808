import { onCleanup } from './cleanup.ts';
import { GatedStore, type PendingRecord } from './gated-store.ts';
import { gateway, type Gateway, type GatewayOptions } from './gateway.ts';
import { rawConnection, type RawConnection } from './raw-http.ts';
import { rawOpening, sessionIdIn } from './raw-mcp.ts';
import { scriptedBackend, type Answer, type ScriptedBackend } from './scripted-backend.ts';

export interface HeldOpening {
  readonly gw: Gateway;
  readonly store: GatedStore;
  readonly backend: ScriptedBackend;
  readonly client: RawConnection;
  /** The record that the answer waits for. */
  readonly pending: PendingRecord;
  /** Resolves with the answer's head: whether the session it names was stored when its first byte arrived. */
  readonly storedAtFirstByte: Promise<boolean>;
}

export interface HeldOpeningOptions extends GatewayOptions {
  /** What the backend answers; left out: JSON, as a server does. */
  readonly answer?: Answer;
  /** What the client sends. */
  readonly request?: string | Uint8Array;
}

/** A gateway whose store waits for the test; the deadline for the store is out of the way. */
export async function waitingGateway(
  options: GatewayOptions = {},
): Promise<{ gw: Gateway; store: GatedStore }> {
  const store = new GatedStore();
  onCleanup(() => store.close());
  const gw = await gateway({
    ...options,
    store,
    options: { storeTimeout: 60_000, ...options.options },
    before(app, sessions) {
      app.get('/turn', (_req, res) => void res.end());
      options.before?.(app, sessions);
    },
  });
  return { gw, store };
}

/** A client has asked for a session, a backend has answered, and the store has been asked to keep it. */
export async function heldOpening(options: HeldOpeningOptions = {}): Promise<HeldOpening> {
  const backend = await scriptedBackend(options.answer);
  const { gw, store } = await waitingGateway({
    ...options,
    options: { backends: backend.origin, ...options.options },
  });
  const client = await rawConnection(gw.url);
  const storedAtFirstByte = new Promise<boolean>((resolve) => {
    client.socket.once('data', (bytes: Buffer) =>
      resolve(store.has(sessionIdIn(bytes.toString('latin1')) ?? '')),
    );
  });
  client.write(options.request ?? rawOpening());
  const pending = await store.asked();
  await turns(gw);
  return { gw, store, backend, client, pending, storedAtFirstByte };
}

/** Waits until whatever the gateway could have sent by now has arrived: other requests overtake it. */
export async function turns(gw: Gateway, count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    const answer = await fetch(`${gw.url}/turn`);
    await answer.arrayBuffer();
  }
}
