import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { type DeliveryOptions, idempotent } from "../../../src/primitives/idempotency/idempotent.ts";
import { type IdempotentOptions, idempotentSettings } from "../../../src/primitives/idempotency/options.ts";

const valid = { name: "ship", key: (input: string) => input };
const make = (options: object): unknown =>
  idempotent(createMemoryCache(), () => 1, options as IdempotentOptions<string>);

describe("the options of a guarded handler", () => {
  test("have the documented defaults", () => {
    expect(idempotentSettings(valid)).toMatchObject({
      resultTtlMs: 86_400_000,
      timing: { ttlMs: 30_000 },
      waitMs: 30_000,
      whenStoreDown: "fail",
      maxRunMs: Number.POSITIVE_INFINITY,
      memo: undefined,
      fencing: false,
    });
    expect(idempotentSettings(valid).onError(new Error("any"))).toBe("release");
  });

  test.each<[option: string, ...values: unknown[]]>([
    ["name", undefined, "", 5, "\ud800"],
    ["key", undefined, "id"],
    ["fingerprint", true, "id", null],
    ["resultTtlMs", 0, -1, Number.NaN, "1"],
    ["leaseTtlMs", 99, 0, Number.NaN, Number.POSITIVE_INFINITY, "1"],
    ["whenInProgress", "ignore", true],
    ["waitMs", -1, Number.NaN, "1", null],
    ["onError", "retry", null],
    ["whenStoreDown", "wait", true],
    ["maxRunMs", 0, -1, Number.NaN],
    ["maxResultBytes", 0, 1.5, Number.POSITIVE_INFINITY],
    ["memo", 5, null],
    ["fencing", "yes"],
    ["observer", null, {}],
  ])("%s is checked when the guard is made, and named", (option, ...values) => {
    for (const value of values) {
      expect(() => make({ ...valid, [option]: value })).toThrow(ConfigError);
      expect(() => make({ ...valid, [option]: value })).toThrow(new RegExp(`^${option} is `));
    }
  });

  test("memo has options of its own", () => {
    expect(() => make({ ...valid, memo: { maxBytes: 0 } })).toThrow(/memo\.maxBytes/);
    expect(() => make({ ...valid, memo: { maxAgeMs: Number.NaN } })).toThrow(/memo\.maxAgeMs/);
  });

  test("that contradict each other are refused, and so is a handler that is none", () => {
    expect(() => make({ ...valid, fencing: true, whenStoreDown: "run" })).toThrow(/exclude each other/);
    expect(() => idempotent(createMemoryCache(), "x" as unknown as () => 1, valid)).toThrow(/the handler is "x"/);
  });

  test("must be there", () => {
    expect(() => make(undefined as unknown as object)).toThrow(ConfigError);
    expect(() => make(null as unknown as object)).toThrow("the options of idempotent are null; they must be an object");
  });

  test.each<[fault: string, call: unknown]>([
    ["the options of a call are null", null],
    ["the options of a call are 5", 5],
    ["signal is null", { signal: null }],
    ["signal is AbortController", { signal: new AbortController() }],
    ["waitMs is null", { waitMs: null }],
    ["waitMs is -1", { waitMs: -1 }],
  ])("of a call are checked before anything else: %s", async (fault, call) => {
    const keys: string[] = [];
    const key = (input: string): string => {
      keys.push(input);
      return input;
    };
    const guarded = idempotent(createMemoryCache(), () => 1, { ...valid, key });
    const rejected = await guarded("1", call as DeliveryOptions).catch((error: unknown) => error);
    expect(rejected).toBeInstanceOf(ConfigError);
    expect((rejected as Error).message).toContain(fault);
    expect(keys).toEqual([]);
  });
});
