/**
 * `npm run test:mutants`: puts known bugs into a copy of the source, one at a time, and tells which test catches each.
 * Fails if one survives. Writes `reports/mutants.md`.
 *
 *     -- --only "part of a name|of another"   some of them
 *     -- --area leader                        those of one area
 *     -- --list                               which there are, without running any
 */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Mutant, mutate } from "../test/mutants/mutant.ts";
import { groups, type MutantGroup } from "../test/mutants/mutants.ts";
import { type Caught, Laboratory } from "./mutants/laboratory.ts";
import { inFull, inShort, type Verdict } from "./mutants/report.ts";
import { testInProcess } from "./mutants/test-in-process.ts";

/** What the tests of the default command import. */
const COPIED = ["src", "test", "scripts", "package.json", "tsconfig.json", "vitest.config.ts"];
const REPORT = "reports/mutants.md";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    area: { type: "string" },
    list: { type: "boolean", default: false },
  },
});

if (process.send) testInProcess();
else await main();

async function main(): Promise<void> {
  const parts = values.only.split("|");
  const work = groups
    .filter(({ area }) => values.area === undefined || area === values.area)
    .flatMap((group) => group.mutants.map((mutant) => ({ group, mutant })))
    .filter(({ mutant }) => parts.some((part) => mutant.name.includes(part)));
  await checkThatAllFit(work);
  if (values.list) return work.forEach(({ group, mutant }) => void console.log(`${group.area}: ${mutant.name}`));

  const startedMs = performance.now();
  const verdicts: Verdict[] = [];
  await Promise.all(Array.from({ length: availableParallelism() }, () => workThrough(work, verdicts)));
  const seconds = (performance.now() - startedMs) / 1_000;
  await mkdir("reports", { recursive: true });
  await writeFile(REPORT, inFull(verdicts, groups));
  console.log(`\n${inShort(verdicts, groups)}\n\n${seconds.toFixed(0)} s; each with its test: ${REPORT}`);
  process.exitCode = verdicts.every(({ caught }) => caught) ? 0 : 1;
}

/** Throws for all that do not fit the source any more. */
async function checkThatAllFit(work: readonly Work[]): Promise<void> {
  const misfits: unknown[] = [];
  for (const { mutant } of work) {
    try {
      mutate(await readFile(join("src", mutant.file), "utf8"), mutant);
    } catch (error) {
      misfits.push(error);
    }
  }
  if (misfits.length > 0) throw new Error(misfits.map(String).join("\n"));
}

type Work = { readonly group: MutantGroup; readonly mutant: Mutant };

async function workThrough(work: Work[], verdicts: Verdict[]): Promise<void> {
  const copy = await copyTree();
  const laboratory = new Laboratory(copy);
  try {
    for (let next = work.shift(); next; next = work.shift()) {
      const { group, mutant } = next;
      const caught = await testMutant(laboratory, copy, group, mutant);
      verdicts.push({ area: group.area, mutant, caught });
      console.log(`${caught ? "caught  " : "SURVIVED"}  ${mutant.name}${caught ? `\n            ${caught.test}` : ""}`);
    }
  } finally {
    laboratory.close();
    await rm(copy, { recursive: true, force: true });
  }
}

async function copyTree(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "holdfast-mutants-"));
  for (const name of COPIED) await cp(name, join(copy, name), { recursive: true });
  await symlink(resolve("node_modules"), join(copy, "node_modules"));
  return copy;
}

async function testMutant(
  laboratory: Laboratory,
  copy: string,
  { stages }: MutantGroup,
  mutant: Mutant,
): Promise<Caught | undefined> {
  const file = join(copy, "src", mutant.file);
  const source = await readFile(file, "utf8");
  await writeFile(file, mutate(source, mutant));
  try {
    for (const tests of stages) {
      const caught = await laboratory.run({ changed: file, tests });
      if (caught) return caught;
    }
    return undefined;
  } finally {
    await writeFile(file, source);
    laboratory.changed(file);
  }
}
