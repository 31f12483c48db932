/**
 * `npm run test:election`: processes compete for one leadership on a real server while they are killed, paused, cut off
 * and restarted at random. `-- --minutes 10` for as long as you like, `--seed S`, `--processes N`, `--ttl MS`.
 */
import { parseArgs } from "node:util";
import { holdTrial } from "../test/election/trial.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "0.3" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    processes: { type: "string", default: "5" },
    ttl: { type: "string", default: "1000" },
  },
});
const options = {
  durationMs: Number(values.minutes) * 60_000,
  seed: Number(values.seed),
  processes: Number(values.processes),
  ttlMs: Number(values.ttl),
};
console.log(`${options.processes} processes, ${values.minutes} min, seed ${options.seed}, ttl ${options.ttlMs} ms`);

const { terms, observed, faults, gapsMs, violations } = await holdTrial(options);
const sorted = gapsMs.toSorted((a, b) => a - b);
const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(2);
console.table(faults);
console.log(`${terms} terms led, ${observed} changes of leader observed`);
console.log(`from one leader to the next: least ${at(0)} ms, median ${at(0.5)} ms, most ${at(1)} ms`);
for (const violation of violations) console.error(`✗ ${violation}`);
console.log(violations.length === 0 ? "no two leaders at once, terms rose" : `${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
