import { describe, expect, test } from "vitest";
import { findFaults, type Import, readImports } from "../../../scripts/check-imports.ts";

const imports = (from: string, to: string, typeOnly = false): Import => ({ from, to, typeOnly });

test("every way to import is seen, and whether it is only for types", () => {
  const source = `
    import type { A } from "./a.ts";
    import { type B } from "./b.ts";
    import { C, type D } from "../c.ts";
    import "./effect.ts";
    import Redis from "ioredis";
    export { E } from "./e.ts";
    export type { F } from "./f.ts";
    export * from "./g.ts";
    const h = await import("./h.ts");
    await using lock = h.lock();
  `;
  const seen = readImports("src/x/file.ts", source).map(({ to, typeOnly }) => `${typeOnly ? "type " : ""}${to}`);
  expect(seen).toEqual([
    "type src/x/a.ts",
    "type src/x/b.ts",
    "src/c.ts",
    "src/x/effect.ts",
    "ioredis",
    "src/x/e.ts",
    "type src/x/f.ts",
    "src/x/g.ts",
    "src/x/h.ts",
  ]);
});

describe("allowed", () => {
  test.each([
    imports("src/index.ts", "src/coordinator.ts"),
    imports("src/coordinator.ts", "src/primitives/lock/lock.ts"),
    imports("src/primitives/lock/lock.ts", "src/primitives/lease/lease.ts"),
    imports("src/primitives/lock/lock.ts", "src/cache/contract.ts"),
    imports("src/cache/redis/open.ts", "ioredis"),
    imports("src/connect.ts", "ioredis", true),
    imports("test/unit/some.test.ts", "src/index.ts"),
  ])("$from → $to", (each) => {
    expect(findFaults([each])).toEqual([]);
  });
});

describe("forbidden", () => {
  test.each([
    imports("src/primitives/lock/lock.ts", "src/cache/memory/store.ts", true),
    imports("src/primitives/lock/lock.ts", "src/primitives/leader/election.ts", true),
    imports("src/primitives/lease/lease.ts", "src/primitives/lock/lock.ts"),
    imports("src/primitives/lock/lock.ts", "src/manager/manager.ts"),
    imports("src/primitives/lock/lock.ts", "src/index.ts"),
    imports("src/cache/memory/store.ts", "src/cache/redis/open.ts"),
    imports("src/cache/codec/codec.ts", "src/cache/memory/store.ts"),
    imports("src/runtime/clock.ts", "src/cache/contract.ts"),
    imports("src/connect.ts", "ioredis"),
    imports("src/testing/kit.ts", "test/support/until.ts"),
    imports("src/elsewhere/file.ts", "src/runtime/clock.ts"),
  ])("$from → $to", (each) => {
    expect(findFaults([each])).toHaveLength(1);
  });

  test("a circle, of types as well", () => {
    const [a, b, c] = ["src/cache/a.ts", "src/cache/b.ts", "src/cache/c.ts"];
    expect(findFaults([imports(a, b), imports(b, c, true), imports(c, a)])).toEqual([
      `circle: ${a} → ${b} → ${c} → ${a}`,
    ]);
    expect(findFaults([imports(a, b), imports(b, c), imports(a, c)])).toEqual([]);
  });
});
