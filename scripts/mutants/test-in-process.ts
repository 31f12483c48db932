import { relative } from "node:path";
import { createVitest, type TestCase, type TestModule, type Vitest } from "vitest/node";
import type { Caught, Stage } from "./laboratory.ts";

/** A test of a mutant that waits for something which never comes need not wait long. */
const TEST_LIMIT_MS = 20_000;

/** Runs the stages that the parent process sends, in the tree in which this process was started. */
export function testInProcess(): void {
  const vitest = createVitest("test", {
    watch: false,
    bail: 1,
    // One process for all files: the tests are being tested here, not their isolation from each other.
    isolate: false,
    fileParallelism: false,
    testTimeout: TEST_LIMIT_MS,
    reporters: [{}],
  });
  process.on("message", (stage: Stage) => {
    void vitest
      .then((started) => run(started, stage))
      .then(
        (caught) => process.send?.({ caught }),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
  });
}

async function run(vitest: Vitest, { changed, restored, tests }: Stage): Promise<Caught | undefined> {
  for (const file of [changed, restored]) if (file !== undefined) vitest.invalidateFile(file);
  const specifications = await vitest.globTestSpecifications([...tests]);
  if (specifications.length === 0) throw new Error(`there are no tests in ${tests.join(", ")}`);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  const failed = testModules.find((module) => module.state() === "failed");
  if (failed) return { test: firstFailure(failed)?.fullName ?? "the file fails", file: fileOf(failed) };
  return unhandledErrors.length > 0 ? { test: `unhandled: ${unhandledErrors[0]}`, file: tests.join(" ") } : undefined;
}

function firstFailure(module: TestModule): TestCase | undefined {
  return [...module.children.allTests()].find((test) => test.result().state === "failed");
}

function fileOf(module: TestModule): string {
  return relative(process.cwd(), module.moduleId);
}
