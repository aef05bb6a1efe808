import { describe, test } from '@jest/globals';
import { envOf } from '../../conformance/contract/rule.ts';
import { contract } from '../../conformance/routing.ts';
import { stacks } from '../../helpers/pairings.ts';

describe.each(stacks)('F7: $name', ({ app, proxy }) => {
  const rules = contract.filter(({ only }) => only === undefined || proxy !== 'forward');
  // oxlint-disable-next-line jest/expect-expect -- the rules expect
  test.each(rules)('$id: $title', ({ run }) => run(envOf(app, proxy)));
});
