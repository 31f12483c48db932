import type { ViteUserConfig } from "vitest/config";

/** For the mutation tester, which runs the tests of one folder again and again. */
const config: ViteUserConfig = {
  test: {
    include: (process.env["HOLDFAST_MUTATION_TESTS"] ?? "test/unit").split(",").map(testsIn),
    // The tests are being tested here, not their isolation from each other.
    isolate: false,
    testTimeout: 60_000,
  },
};

function testsIn(path: string): string {
  return path.endsWith(".ts") ? path : `${path}/**/*.test.ts`;
}

export default config;
