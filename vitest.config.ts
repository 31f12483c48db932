import { availableParallelism } from "node:os";
import type { TestProjectInlineConfiguration, ViteUserConfig } from "vitest/config";

const ioredis5 = process.env["HOLDFAST_IOREDIS"] === "5";

/** One project per kind of test; the folder says which. */
const project = (name: string): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include: [`test/${name}/**/*.test.ts`] },
});

const config: ViteUserConfig = {
  resolve: { alias: ioredis5 ? { ioredis: "ioredis5" } : {} },
  test: {
    pool: "forks",
    setupFiles: ["test/support/leaks.ts"],
    // Most of a test's time is spent waiting for a server.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 20_000,
    hookTimeout: 30_000,
    projects: [project("unit"), project("property"), project("integration"), project("package")],
  },
};

export default config;
