import { bodyFamilies } from './bodies.ts';
import { framingFamilies } from './framing.ts';
import { headFamilies } from './heads.ts';
import { hiddenRequestFamilies } from './hidden-requests.ts';
import type { Family } from './input.ts';
import { pathFamilies } from './paths.ts';
import { requestLineFamilies } from './request-lines.ts';
import { routingHeaderFamilies } from './routing-headers.ts';
import { sessionIdPlaceFamilies } from './session-id-places.ts';
import { sessionIdFamilies } from './session-ids.ts';

export const families: readonly Family[] = [
  ...sessionIdFamilies,
  ...sessionIdPlaceFamilies,
  ...framingFamilies,
  ...headFamilies,
  ...requestLineFamilies,
  ...hiddenRequestFamilies,
  ...pathFamilies,
  ...routingHeaderFamilies,
  ...bodyFamilies,
];
