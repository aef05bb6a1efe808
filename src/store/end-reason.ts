/**
 * Why a session is over. `deleted`: by its client. `closed`: with the stream of HTTP+SSE. `called`: by `end`. `lost`:
 * its backend is gone. `forgotten`: its backend does not know it. `expired`: nobody has used it. `elsewhere`: another
 * gateway has ended it, or something else that writes to the store.
 */
export type EndReason =
  | 'deleted'
  | 'closed'
  | 'called'
  | 'lost'
  | 'forgotten'
  | 'expired'
  | 'elsewhere';
