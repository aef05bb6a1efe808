import { describe, test } from '@jest/globals';
import { envOf } from '../../conformance/contract/rule.ts';
import { contract } from '../../conformance/routing.ts';
import { pairings } from '../../helpers/pairings.ts';

describe.each(pairings)('F7: Express %d, http-proxy-middleware %d', (express, hpm) => {
  // oxlint-disable-next-line jest/expect-expect -- the rules expect
  test.each(contract)('$id: $title', ({ run }) => run(envOf(express, hpm)));
});
