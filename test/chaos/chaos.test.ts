/** A short run; longer ones, with all kinds of stores: npm run test:chaos. */

import { beforeAll, describe, expect, it } from "vitest";
import { wreakChaos } from "./chaos.ts";
import type { Evidence } from "./evidence.ts";
import { judgeRegisters } from "./judge/registers.ts";
import { judgeAll } from "./judge/verdict.ts";
import { SINGLE } from "./kinds.ts";

describe("4 processes on a server, and one fault after the other", () => {
  let evidence: Evidence;

  beforeAll(async () => {
    evidence = await wreakChaos({ ...SINGLE, durationMs: 0, seed: 7, ttlMs: 600, calmMs: 200 });
  }, 300_000);

  it("are all hit, and get on", () => {
    const { nemeses, counts } = judgeAll(evidence);
    expect(nemeses.map(({ nemesis }) => nemesis).sort()).toEqual(SINGLE.nemeses.map(({ name }) => name).sort());
    for (const [what, count] of Object.entries(counts)) {
      expect(count, what).toBeGreaterThan(0);
    }
  });

  it("keep every promise", () => {
    expect(judgeAll(evidence).violations).toEqual([]);
  });

  it("leave histories of which 10,000 operations are judged in less than 10 seconds", () => {
    const copies = Math.ceil(10_000 / evidence.operations.length);
    const operations = Array.from({ length: copies }, (_, copy) =>
      evidence.operations.map((each) => ({ ...each, input: { ...each.input, key: `${each.input.key} ${copy}` } })),
    ).flat();
    const before = process.cpuUsage();
    expect(judgeRegisters({ ...evidence, operations })).toEqual([]);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(10_000);
  });
});
