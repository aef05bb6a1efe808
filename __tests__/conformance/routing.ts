import { appRouter } from './contract/app-router.ts';
import { backends } from './contract/backends.ts';
import { ending } from './contract/ending.ts';
import { eras } from './contract/eras.ts';
import { fleetRules } from './contract/fleet.ts';
import { guard } from './contract/guard.ts';
import { life } from './contract/life.ts';
import { rawAnswers } from './contract/raw-answers.ts';
import { recording } from './contract/recording.ts';
import { recoveryRaces } from './contract/recovery-races.ts';
import { recovery } from './contract/recovery.ts';
import { root } from './contract/root.ts';
import type { Rule } from './contract/rule.ts';
import { sse } from './contract/sse.ts';
import { tasks } from './contract/tasks.ts';

/** The contract of this package, one rule after the other; each is tried on any combination of Express and proxy. */
export const contract: readonly Rule[] = [
  ...guard,
  ...root,
  ...appRouter,
  ...recording,
  ...ending,
  ...backends,
  ...rawAnswers,
  ...fleetRules,
  ...recovery,
  ...recoveryRaces,
  ...sse,
  ...eras,
  ...tasks,
  ...life,
];
