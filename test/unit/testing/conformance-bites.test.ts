import { expect, it } from "vitest";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { cacheConformance, ManualClock } from "../../../src/testing/index.ts";
import { type Breakage, breakages, broken } from "../../support/broken-caches.ts";

/** Runs the suite, with a runner of our own, on a memory cache that has one bug; gives the names of the failing tests. */
async function failingTests(breakage?: Breakage): Promise<string[]> {
  const tests: { name: string; body: () => Promise<void> }[] = [];
  const clock = new ManualClock();
  cacheConformance(
    { describe: (_, body) => body(), it: (name, body) => tests.push({ name, body }) },
    {
      name: "broken",
      open: async () => {
        const cache = createMemoryCache({ name: "broken", clock });
        return breakage ? broken(cache, breakage) : cache;
      },
      elapse: (ms) => clock.advance(ms),
      exactTime: true,
      exactWatch: true,
    },
  );
  const failing: string[] = [];
  for (const { name, body } of tests) {
    await body().catch(() => failing.push(name));
  }
  return failing;
}

it("the suite finds nothing wrong with a cache that has no bug", async () => {
  expect(await failingTests()).toEqual([]);
});

it.each(breakages)("the suite notices: $bug", async (breakage) => {
  const failing = await failingTests(breakage);
  expect(failing.filter((name) => name.includes(breakage.noticedBy))).not.toEqual([]);
});
