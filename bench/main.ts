import { readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { findRegressions } from "./check.ts";
import { CONTESTANTS, ENTRIES, type Entry } from "./contestants/index.ts";
import { measureWorkload } from "./measure.ts";
import type { Options } from "./options.ts";
import { CAN_PIN } from "./process/pinning.ts";
import { picture } from "./report/picture.ts";
import { report } from "./report/tables.ts";
import { type Results, readResults, writeResults } from "./results.ts";
import { startPinnedServer } from "./server.ts";
import { TARGETS } from "./targets.ts";
import { WORKLOADS } from "./workloads/index.ts";
import type { Scale, Workload } from "./workloads/workload.ts";

const BASELINE = new URL("results/baseline.json", import.meta.url);
const RECORDED_PICTURE = new URL("results/picture.svg", import.meta.url);
const LATEST = new URL("results/latest.json", import.meta.url);
const LATEST_PICTURE = new URL("results/latest.svg", import.meta.url);
const README = new URL("README.md", import.meta.url);

const FULL: Scale = { quick: false, rounds: 5, sliceMs: 250 };
const QUICK: Scale = { quick: true, rounds: 1, sliceMs: 60 };

export async function main(options: Options): Promise<number> {
  const baseline = options.check ? await readResults(BASELINE) : undefined;
  const entries = baseline ? comparedIn(baseline) : named(options.contestants);
  const results = await measure(options, entries);

  await writeResults(LATEST, results);
  await writeFile(LATEST_PICTURE, picture(results));
  console.log(`\n${report(results)}`);
  for (const failure of results.failures) console.error(failure);
  if (options.record) await record(results);
  const regressions = baseline ? tellRegressions(results, baseline) : 0;
  return results.failures.length + regressions === 0 ? 0 : 1;
}

async function measure({ only, server: kind, quick }: Options, entries: readonly Entry[]): Promise<Results> {
  const workloads = chosen(only);
  const loadBefore = loadavg()[0] ?? 0;
  const from = performance.now();
  const server = await startPinnedServer(kind);
  try {
    const { kind: product, version } = server.binary;
    const measured: Record<string, Results["workloads"][string]> = {};
    const failures: string[] = [];
    for (const workload of workloads) {
      const startedAt = performance.now();
      const scale = quick ? QUICK : FULL;
      measured[workload.name] = await measureWorkload(workload, entries, server.url, scale, ({ name }, error) => {
        failures.push(`${name} failed at ${workload.name}: ${(error as Error).message}`);
      });
      await server.command("FLUSHALL");
      console.log(`${workload.name}: ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
    }
    return {
      machine: {
        date: new Date().toISOString(),
        server: `${product} ${version.join(".")}`,
        node: process.versions.node,
        processor: cpus()[0]?.model.trim() ?? "unknown",
        cores: cpus().length,
        pinned: CAN_PIN,
        loadBefore,
        minutes: (performance.now() - from) / 60_000,
      },
      versions: await versionsOf(CONTESTANTS.flatMap(({ packages }) => packages)),
      workloads: measured,
      failures,
    };
  } finally {
    await server.stop();
  }
}

function chosen(only: readonly string[]): readonly Workload[] {
  const unknown = only.find((name) => !WORKLOADS.some((workload) => workload.name === name));
  if (unknown !== undefined) {
    throw new Error(`--only ${unknown}: the workloads are ${WORKLOADS.map(({ name }) => name).join(", ")}`);
  }
  return only.length === 0 ? WORKLOADS : WORKLOADS.filter(({ name }) => only.includes(name));
}

function named(parts: readonly string[]): readonly Entry[] {
  if (parts.length === 0) return ENTRIES;
  return ENTRIES.filter(({ name }) => parts.some((part) => name.includes(part)));
}

/** Those on whom the recorded ratios rest: a check need not measure the others. */
function comparedIn(baseline: Results): Entry[] {
  const names = TARGETS.flatMap((target) => target.reached(baseline)?.against ?? []);
  return ENTRIES.filter(({ name, contestant }) => contestant.role === "holdfast" || names.includes(name));
}

async function versionsOf(packages: readonly string[]): Promise<Record<string, string>> {
  const versions = packages.map(async (name): Promise<[string, string]> => {
    const path = new URL(`node_modules/${name}/package.json`, import.meta.url);
    return [name, JSON.parse(await readFile(path, "utf8")).version];
  });
  return Object.fromEntries(await Promise.all(versions));
}

/** Keeps the results: to be compared with, and to be read. */
async function record(results: Results): Promise<void> {
  await writeResults(BASELINE, results);
  await writeFile(RECORDED_PICTURE, picture(results));
  const readme = await readFile(README, "utf8");
  const marks = /(<!-- results -->\n)[\s\S]*(<!-- end of results -->)/;
  await writeFile(
    README,
    readme.replace(marks, (_all, start, end) => `${start}\n${report(results)}\n${end}`),
  );
}

/** Tells what got worse; how many. */
function tellRegressions(results: Results, baseline: Results): number {
  const regressions = findRegressions(results, baseline);
  console.log(regressions.length === 0 ? "Nothing got worse than the baseline." : "Worse than the baseline:");
  for (const regression of regressions) console.log(`- ${regression}`);
  return regressions.length;
}
