/**
 * `npm run test:mutation`: changes the source in every small way that a tester of mutations knows, and tells which
 * changes no test of that folder notices. Takes hours on two cores; what was tested before is not tested again.
 * Writes `reports/mutation/`.
 *
 *     -- lease memory       parts of the names of folders; default all
 *     -- --concurrency 1    processes; default 2
 */
import { spawnSync } from "node:child_process";
import { renameSync } from "node:fs";
import { parseArgs } from "node:util";
import { MUTATED } from "../test/mutation/folders.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { concurrency: { type: "string", default: "2" } },
});

const chosen = Object.entries(MUTATED).filter(
  ([folder]) => positionals.length === 0 || positionals.some((part) => folder.includes(part)),
);
if (chosen.length === 0) throw new Error(`folders are: ${Object.keys(MUTATED).join(", ")}`);
for (const [folder, tests] of chosen) {
  if (!mutate(folder, tests)) process.exitCode = 1;
}

function mutate(folder: string, tests: readonly string[]): boolean {
  console.log(`\n${folder}, by ${tests.join(", ")}`);
  const report = `reports/mutation/${folder.replace("/", "-")}`;
  const options = [
    ["--mutate", `src/${folder}/**/*.ts`],
    ["--concurrency", values.concurrency],
    ["--incrementalFile", `${report}.incremental.json`],
    ["--reporters", "clear-text,progress-append-only,html,json"],
  ];
  const env = { ...process.env, HOLDFAST_MUTATION_TESTS: tests.join(",") };
  const { status } = spawnSync("npx", ["stryker", "run", ...options.flat()], { stdio: "inherit", env });
  if (status === 0)
    for (const kind of ["json", "html"]) renameSync(`reports/mutation/mutation.${kind}`, `${report}.${kind}`);
  return status === 0;
}
