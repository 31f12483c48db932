import { startVitest, type TestModule, type Vitest } from "vitest/node";

/** How many tests ended how. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Runs projects of vitest.config.ts in this process. */
export async function runProjects(projects: readonly string[]): Promise<Tally> {
  const vitest = await startVitest("test", [], { project: [...projects], watch: false });
  try {
    return tallyOf(vitest);
  } finally {
    await vitest.close();
  }
}

function tallyOf(vitest: Vitest): Tally {
  const modules = vitest.state.getTestModules();
  const total = modules.map(tallyOfModule).reduce(add, NOTHING);
  const unhandled = vitest.state.getUnhandledErrors().length;
  // No file at all means that nothing was proved.
  return add(total, { ...NOTHING, failed: unhandled + (modules.length === 0 ? 1 : 0) });
}

function tallyOfModule(module: TestModule): Tally {
  const states = [...module.children.allTests()].map((test) => test.result().state);
  const count = (state: string): number => states.filter((each) => each === state).length;
  const failed = count("failed");
  return {
    passed: count("passed"),
    // A file can fail without a failed test: it does not load, a hook throws, it leaves something open.
    failed: failed === 0 && module.state() === "failed" ? 1 : failed,
    skipped: count("skipped") + count("pending"),
  };
}
