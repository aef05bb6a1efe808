import type { RoutedRequest } from '../http/routed-request.ts';
import type { Stop } from '../routing/route.ts';

/** Tells the client why its request goes nowhere. */
export function answerStop(routed: RoutedRequest | undefined, stop: Stop): void {
  if (stop.kind === 'deleted') routed?.confirmDeleted();
  else routed?.refuse(stop.reason);
}
