import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import { resignOnShutdown, type ShutdownOptions } from "../../../src/shutdown.ts";

const hold = { close: async (): Promise<void> => {} };

describe("resignOnShutdown", () => {
  it.each<[option: keyof ShutdownOptions, ...values: unknown[]]>([
    ["signals", "SIGTERM", ["SIGTERM", "SIGSTERM"], [15], null],
    ["reraise", "no", true, null],
    ["onError", "log", null],
  ])("checks its option %s, and then listens for nothing", (option, ...values) => {
    const before = process.listenerCount("SIGTERM");
    for (const value of values) {
      const options = { [option]: value } as ShutdownOptions;
      expect(() => resignOnShutdown(hold, options)).toThrow(ConfigError);
      expect(() => resignOnShutdown(hold, options)).toThrow(new RegExp(`^${option} `));
    }
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });

  it("needs something to close, and options that are some", () => {
    expect(() => resignOnShutdown(undefined as unknown as typeof hold)).toThrow(/^hold\.close is undefined/);
    expect(() => resignOnShutdown(hold, null as unknown as ShutdownOptions)).toThrow(ConfigError);
  });
});
