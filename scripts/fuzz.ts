// Sends spoilt requests to a running gateway: `npm run fuzz -- --rounds 3000 --seed 7 --proxy forward`.
// `--seed N --only ROUND` runs one round again; `--seconds S` ends it by time; without a proxy all of them have their turn.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzz, PROXIES } from '../__tests__/hostile/fuzz/fuzz.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string' },
    proxy: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
  },
});
const seed = Number(values.seed ?? randomInt(2 ** 31));
const seconds = values.seconds === undefined ? {} : { seconds: Number(values.seconds) };
const rounds = Number(values.rounds ?? (values.seconds === undefined ? 3000 : Infinity));
const only = values.only === undefined ? {} : { only: Number(values.only) };
const proxies = PROXIES.filter((proxy) => values.proxy === undefined || values.proxy === proxy);
if (proxies.length === 0) throw new Error(`--proxy must be one of ${PROXIES.join(', ')}`);

for (const proxy of proxies) {
  const report = await fuzz({ proxy, seed, rounds, ...seconds, ...only });
  for (const fault of report.faults) console.log(`${fault}\n`);
  console.log(
    `${report.rounds} rounds, seed ${seed}, proxy ${proxy}: ${report.crashes} crashes, ${report.misroutes} misroutes, ${report.faults.length} faults told`,
  );
  if (report.faults.length > 0) process.exitCode = 1;
}
