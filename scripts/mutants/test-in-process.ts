import { createVitest, type Reporter, type TestCase, type TestModule, type Vitest } from "vitest/node";
import type { Caught, Stage } from "./laboratory.ts";

/** A test of a mutant that waits for something which never comes need not wait long. */
const TEST_LIMIT_MS = 20_000;

/** Runs the stages that the parent process sends, in the tree in which this process was started. */
export function testInProcess(): void {
  const failures = new Failures();
  const vitest = createVitest("test", {
    watch: false,
    bail: 1,
    // One process for all files: the tests are being tested here, not their isolation from each other.
    isolate: false,
    fileParallelism: false,
    testTimeout: TEST_LIMIT_MS,
    reporters: [failures],
  });
  process.on("message", (stage: Stage) => {
    void vitest
      .then((started) => run(started, failures, stage))
      .then(
        (caught) => process.send?.({ caught }),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
  });
}

/** Takes down what fails while it happens: the state of Vitest also remembers the runs before. */
class Failures implements Reporter {
  first: Caught | undefined;

  onTestCaseResult(test: TestCase): void {
    if (test.result().state === "failed") this.first ??= { test: test.fullName, file: test.module.relativeModuleId };
  }

  onTestModuleEnd(module: TestModule): void {
    if (module.state() === "failed") this.first ??= { test: "the file fails", file: module.relativeModuleId };
  }
}

async function run(
  vitest: Vitest,
  failures: Failures,
  { changed, restored, tests }: Stage,
): Promise<Caught | undefined> {
  for (const file of [changed, restored]) if (file !== undefined) vitest.invalidateFile(file);
  const specifications = await vitest.globTestSpecifications([...tests]);
  if (specifications.length === 0) throw new Error(`there are no tests in ${tests.join(", ")}`);
  failures.first = undefined;
  const { unhandledErrors } = await vitest.runTestSpecifications(specifications);
  if (failures.first) return failures.first;
  return unhandledErrors.length > 0 ? { test: `unhandled: ${unhandledErrors[0]}`, file: tests.join(" ") } : undefined;
}
