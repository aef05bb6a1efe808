import { noIfItThrows, yesOrNo } from '../store/user-code.ts';

/** Origins, such as `https://app.example.com`, or a function that is asked for each. */
export type AllowedOrigins = readonly string[] | ((origin: string) => boolean);

/** Whether a request with this `Origin` comes from a page that is not allowed to send it. */
export function foreignTo(allowed: AllowedOrigins): (origin: string | undefined) => boolean {
  if (typeof allowed === 'function') {
    const allows = noIfItThrows(yesOrNo('allowedOrigins', allowed));
    // Several of them are one string, which may end like one that is allowed.
    return (origin) => origin !== undefined && (/[\s,]/.test(origin) || !allows(origin));
  }
  const origins = new Set(allowed.map((origin) => new URL(origin).origin));
  return (origin) => origin !== undefined && !origins.has(origin);
}
