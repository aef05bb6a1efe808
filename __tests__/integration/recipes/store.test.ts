import { expect, test } from '@jest/globals';
import { blockOf, replaced } from '../../helpers/markdown.ts';
import { sharedRedisUrl } from '../../helpers/redis-server.ts';
import { startRecipe, writeProject } from '../../helpers/run-recipe.ts';
import { until } from '../../helpers/until.ts';

async function runSuite(change: Record<string, string> = {}): Promise<string> {
  const suite = replaced(blockOf('store', 'ts', 1), {
    'redis://redis:6379': await sharedRedisUrl(),
  });
  const store = replaced(blockOf('store', 'ts'), change);
  const folder = writeProject({ 'node-redis-store.ts': store, 'suite.ts': suite });
  const child = startRecipe(folder, 'suite.ts');
  await until(() => /^\S+ fail \d/m.test(child.output()));
  return child.output();
}

test('the store on node-redis passes the conformance suite at level atomic', async () => {
  const output = await runSuite();
  expect(output).toMatch(/^\S+ pass [1-9]\d*$/m);
  expect(output).toMatch(/^\S+ fail 0$/m);
});

test('the suite notices a store that creates where there is a record already', async () => {
  expect(await runSuite({ ", condition: 'NX' }": ' }' })).toMatch(/^\S+ fail [1-9]/m);
});
