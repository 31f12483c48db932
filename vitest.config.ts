import { availableParallelism } from "node:os";
import type { TestProjectInlineConfiguration, ViteUserConfig } from "vitest/config";

const ioredis5 = process.env["HOLDFAST_IOREDIS"] === "5";

/** One project per kind of test; the folder says which. */
const project = (name: string, more: TestProjectInlineConfiguration["test"] = {}): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...more },
});

const needsServer = { globalSetup: "test/support/provide-server.ts" };

const config: ViteUserConfig = {
  resolve: { alias: ioredis5 ? { ioredis: "ioredis5" } : {} },
  test: {
    pool: "forks",
    setupFiles: ["test/support/leaks.ts"],
    // Most of a test's time is spent waiting for a server.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      project("unit"),
      project("property", needsServer),
      project("fuzz"),
      project("simulation"),
      project("linearizability", needsServer),
      project("integration", needsServer),
      project("chaos", needsServer),
      // Installs packages, one file after the other.
      project("package", { setupFiles: [], testTimeout: 180_000, hookTimeout: 180_000, fileParallelism: false }),
    ],
  },
};

export default config;
