/**
 * `npm run test:chaos`: processes use locks, leaders, guarded handlers and the cache while processes are killed and
 * stopped, wires are cut, and servers restart and fail over; then everything that they wrote down is judged.
 *
 *     -- --server KIND   redis-7 (default), valkey-9, sentinel, cluster; the last two with the server of HOLDFAST_SERVER
 *     -- --minutes 30    default 2; every fault strikes at least once
 *     -- --seed S        which faults strike when; default random
 *     -- --ttl MS        of locks, terms and claims; default 1,000
 */
import { mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { wreakChaos } from "../test/chaos/chaos.ts";
import { judgeAll } from "../test/chaos/judge/verdict.ts";
import { KINDS } from "../test/chaos/kinds.ts";
import { inWords } from "../test/chaos/report.ts";

const REPORTS = "reports/chaos";

const { values } = parseArgs({
  options: {
    server: { type: "string", default: "redis-7" },
    minutes: { type: "string", default: "2" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    ttl: { type: "string", default: "1000" },
  },
});
const { server, minutes, seed } = values;
const kind = KINDS[server];
if (kind === undefined) throw new Error(`--server is one of: ${Object.keys(KINDS).join(", ")}`);

console.log(`${server}, ${minutes} min, seed ${seed}`);
const startedAt = performance.now();
const evidence = await wreakChaos({
  ...kind,
  durationMs: Number(minutes) * 60_000,
  seed: Number(seed),
  ttlMs: Number(values.ttl),
  onStrike: ({ nemesis, from, until, hit }) => console.log(`${nemesis}, ${Math.round(until - from)} ms: ${hit}`),
});
const verdict = judgeAll(evidence);
const { strikes, mishaps } = evidence;
await mkdir(REPORTS, { recursive: true });
const report = { server, minutes: Number(minutes), seed: Number(seed), verdict, strikes, mishaps };
await writeFile(`${REPORTS}/${server}-${seed}.json`, JSON.stringify(report, undefined, 2));
if (verdict.violations.length > 0) {
  const settlements = Object.fromEntries(evidence.settlements);
  await writeFile(`${REPORTS}/${server}-${seed}-evidence.json`, JSON.stringify({ ...evidence, settlements }));
}
console.log(inWords(verdict));
console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
// Children that were killed may have left something open.
process.exit(verdict.violations.length === 0 ? 0 : 1);
