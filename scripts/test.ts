/**
 * `npm test`: everything that a contributor needs before a commit, cheapest first; stops at the first stage that fails:
 * static checks, fast tests, tests on real servers, the package. The last line is the sum, "N passed, N failed", where
 * each static check counts as one.
 */
import { spawnSync } from "node:child_process";
import { add, closingLine, NOTHING, runProjects, type Tally } from "./tally.ts";

const CHECKS = ["check:types", "lint", "check:imports", "check:unused"];
const PROJECTS = [["unit", "property", "fuzz", "simulation"], ["integration", "linearizability", "chaos"], ["package"]];

const startedAt = performance.now();
const tally = await runAll();
console.log(`\n${seconds(startedAt)}\n${closingLine(tally)}`);
process.exit(tally.failed === 0 ? 0 : 1);

async function runAll(): Promise<Tally> {
  // All of them: they are quick, and one pass shows everything that they find.
  let total = CHECKS.map(runCheck).reduce(add, NOTHING);
  for (const projects of PROJECTS) {
    if (total.failed > 0) break;
    total = add(total, await runProjects(projects));
  }
  return total;
}

/** Runs a script of package.json; says nothing but its name unless it fails. */
function runCheck(script: string): Tally {
  const from = performance.now();
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", script], { encoding: "utf8" });
  const passed = status === 0;
  console.log(`${passed ? "✓" : "✗"} ${script} (${seconds(from)})`);
  if (!passed) console.log(`${stdout}${stderr}`);
  return { ...NOTHING, [passed ? "passed" : "failed"]: 1 };
}

function seconds(from: number): string {
  return `${((performance.now() - from) / 1_000).toFixed(1)} s`;
}
