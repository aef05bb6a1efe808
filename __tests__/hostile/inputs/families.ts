import { bodyFamilies } from './bodies.ts';
import { framing } from './framing.ts';
import { heads } from './heads.ts';
import type { Family } from './input.ts';
import { requests } from './requests.ts';
import { routes } from './routes.ts';
import { sessionIds } from './session-ids.ts';

export const families: readonly Family[] = [
  ...sessionIds,
  ...framing,
  ...heads,
  ...requests,
  ...routes,
  ...bodyFamilies,
];
