/**
 * `npm run test:election`: processes compete for one leadership on a real server while they are killed, paused, cut off
 * and restarted at random. `-- --minutes 10` for as long as you like, `--seed S`, `--processes N`, `--ttl MS`.
 *
 * `-- --latency 50` measures instead: how long 50 hand-overs and 50 take-overs after a kill take, and what waiting costs.
 */
import { parseArgs } from "node:util";
import { holdTrial } from "../test/election/trial.ts";
import { measureCrowd, measureHandOvers, measureTakeOvers } from "../test/integration/leader/measure.ts";
import { startServer } from "../test/support/redis-server.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "0.3" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    processes: { type: "string", default: "5" },
    ttl: { type: "string", default: "1000" },
    latency: { type: "string" },
  },
});

// Children that were killed may have left something open.
process.exit((await (values.latency === undefined ? compete() : measure(Number(values.latency)))) ? 0 : 1);

async function compete(): Promise<boolean> {
  const options = {
    durationMs: Number(values.minutes) * 60_000,
    seed: Number(values.seed),
    processes: Number(values.processes),
    ttlMs: Number(values.ttl),
  };
  console.log(`${options.processes} processes, ${values.minutes} min, seed ${options.seed}, ttl ${options.ttlMs} ms`);
  const { terms, observed, faults, gapsMs, violations } = await holdTrial(options);
  console.table(faults);
  console.log(`${terms} terms led, ${observed} changes of leader observed`);
  console.log(`from one leader to the next: ${summary(gapsMs)}`);
  for (const violation of violations) console.error(`✗ ${violation}`);
  console.log(violations.length === 0 ? "no two leaders at once, terms rose" : `${violations.length} violations`);
  return violations.length === 0;
}

async function measure(runs: number): Promise<boolean> {
  const server = await startServer();
  console.log(`hand-over to another process: ${summary(await measureHandOvers(server, runs))}`);
  console.log(`take-over after the lease of a killed leader: ${summary(await measureTakeOvers(server, runs))}`);
  const { mean, most } = await measureCrowd(server, 60);
  const rates = `mean ${mean.toFixed(2)}, most ${most.toFixed(2)}`;
  console.log(`commands per second and process, 500 candidates in 4 processes: ${rates}`);
  await server.stop();
  return true;
}

function summary(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(2);
  return `least ${at(0)} ms, median ${at(0.5)} ms, 90 % ${at(0.9)} ms, most ${at(1)} ms`;
}
