/**
 * `npm run test:mutants`: puts known bugs into a copy of the source, one at a time, and tells which tests catch them.
 * Fails if one survives. `-- --only "part of a name|of another"` picks; `-- --all-tests` names every test that catches a mutant.
 */
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Mutant, mutate } from "../test/mutants/mutant.ts";
import { groups, type MutantGroup } from "../test/mutants/mutants.ts";

/** What the default test command runs that needs no server, and what its tests import. */
const COPIED = ["src", "test", "scripts", "package.json", "tsconfig.json", "vitest.config.ts"];
/** A mutant that hangs is caught by this. */
const LIMIT_MS = 240_000;

interface Verdict {
  readonly mutant: Mutant;
  /** The names of the tests that failed. */
  readonly caughtBy: readonly string[];
}

const { values } = parseArgs({
  options: { only: { type: "string" }, "all-tests": { type: "boolean", default: false } },
});
const only = values.only?.split("|") ?? [""];
const work = groups.flatMap((group) =>
  group.mutants.filter(({ name }) => only.some((part) => name.includes(part))).map((mutant) => ({ group, mutant })),
);
const verdicts: Verdict[] = [];
await checkThatAllFit();
await Promise.all(Array.from({ length: availableParallelism() }, workThrough));
const survivors = verdicts.filter(({ caughtBy }) => caughtBy.length === 0);
const bySimulation = verdicts.filter(({ caughtBy }) => caughtBy.some(isSimulated));
console.log(
  `\n${verdicts.length - survivors.length} of ${verdicts.length} mutants caught, ${bySimulation.length} by the simulator`,
);
for (const { mutant } of survivors) console.log(`SURVIVED: ${mutant.name}`);
process.exitCode = survivors.length > 0 ? 1 : 0;

async function checkThatAllFit(): Promise<void> {
  for (const { mutant } of work) mutate(await readFile(join("src", mutant.file), "utf8"), mutant);
}

async function workThrough(): Promise<void> {
  const copy = await copyTree();
  try {
    for (let next = work.shift(); next; next = work.shift()) {
      const verdict = { mutant: next.mutant, caughtBy: await testMutant(copy, next.group, next.mutant) };
      verdicts.push(verdict);
      report(verdict);
    }
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function copyTree(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "holdfast-mutants-"));
  for (const name of COPIED) await cp(name, join(copy, name), { recursive: true });
  await symlink(resolve("node_modules"), join(copy, "node_modules"));
  await mkdir(join(copy, "results"));
  return copy;
}

async function testMutant(copy: string, { tests }: MutantGroup, mutant: Mutant): Promise<string[]> {
  const file = join(copy, "src", mutant.file);
  const source = await readFile(file, "utf8");
  await writeFile(file, mutate(source, mutant));
  try {
    return await failingTests(copy, tests);
  } finally {
    await writeFile(file, source);
  }
}

/** Runs tests in a copy; the names of those that fail. */
async function failingTests(copy: string, tests: readonly string[]): Promise<string[]> {
  const output = join(copy, "results", "vitest.json");
  await rm(output, { force: true });
  const projects = ["--project", "unit", "--project", "simulation"];
  const vitest = join(copy, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", ...projects, ...tests, "--reporter=json", `--outputFile=${output}`];
  const env = { ...process.env, HOLDFAST_FIRST_FAILURE: "1" };
  const child = spawn(process.execPath, args, {
    cwd: copy,
    stdio: "ignore",
    env,
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const code = await new Promise<number | null>((done) => child.once("exit", done));
  if (code === 0) return [];
  const report = await readFile(output, "utf8").catch(() => undefined);
  return report === undefined ? ["the test run did not end"] : failuresIn(report);
}

function failuresIn(report: string): string[] {
  const { testResults } = JSON.parse(report) as {
    testResults: { status: string; assertionResults: { status: string; fullName: string }[] }[];
  };
  const failed = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName),
  );
  return failed.length > 0 ? failed : ["the test run failed"];
}

function report({ mutant, caughtBy }: Verdict): void {
  const simulated = caughtBy.some(isSimulated) ? "simulation" : "";
  const others = caughtBy.filter((name) => !isSimulated(name));
  const shown = values["all-tests"] ? others : others.slice(0, 1);
  const more = others.length > shown.length ? ` (and ${others.length - shown.length} more)` : "";
  const by = [simulated, `${shown.join("; ")}${more}`].filter(Boolean).join(" + ");
  console.log(`${caughtBy.length > 0 ? "caught  " : "SURVIVED"}  ${mutant.name}${by ? `\n            ${by}` : ""}`);
}

function isSimulated(name: string): boolean {
  return name.includes("in simulated worlds");
}
