import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { loadConfig } from "../../../src/config/load-config.ts";
import { connect } from "../../../src/connect.ts";
import { ManualClock } from "../../../src/testing/index.ts";

const targets = ["memory:", "redis://127.0.0.1:1", createMemoryCache()] as const;

describe("connect", () => {
  it("takes what loadConfig gives", async () => {
    await using hold = await connect(loadConfig({ CACHE_ENABLED: "true", CACHE_TYPE: "memory" }));
    expect(hold.cache.stats()).toMatchObject({ backend: "memory", state: "ready" });
  });

  it("says that the cache is disabled, if it is", async () => {
    await expect(connect(loadConfig({ CACHE_ENABLED: "false" }))).rejects.toMatchObject({
      code: "ERR_CONFIG",
      message: expect.stringContaining("disabled"),
    });
  });

  it.each<[string, unknown]>([
    ["operationTimeoutMs", -1],
    ["operationTimeoutMs", Number.NaN],
    ["operationTimeoutMs", "5"],
    ["operationTimeoutMs", null],
    ["connectTimeoutMs", 0],
    ["connectTimeoutMs", null],
  ])("refuses %s %s, whatever the store", async (option, value) => {
    for (const target of targets) {
      const fault = { code: "ERR_CONFIG", message: expect.stringContaining(`${option} is `) };
      await expect(connect(target, { [option]: value })).rejects.toMatchObject(fault);
    }
  });

  it.each<[string, unknown]>([
    ["keyPrefix", "{a"],
    ["keyPrefix", null],
    ["maxValueBytes", null],
    ["maxValueBytes", 0],
  ])("refuses %s %s, with a memory store as with a server", async (option, value) => {
    for (const target of ["memory:", "redis://127.0.0.1:1"]) {
      const fault = { code: "ERR_CONFIG", message: expect.stringContaining(`${option} is `) };
      await expect(connect(target, { [option]: value })).rejects.toMatchObject(fault);
    }
  });

  it.each([null, 5])("refuses the options %s", async (options) => {
    for (const target of targets) await expect(connect(target, options as never)).rejects.toThrow(ConfigError);
  });

  it.each([null, 5, {}, [], new Map(), { url: "memory:" }, Promise.resolve()])(
    "refuses to connect to %o",
    async (target) => {
      await expect(connect(target as never)).rejects.toThrow(ConfigError);
    },
  );

  it("leaves nothing open when the coordinator cannot be made", async () => {
    const name = "connect-leaves-nothing";
    const telemetry = {
      instrument: () => {
        throw new Error("no exporter");
      },
      observer: () => {},
    };
    await expect(connect(`memory:${name}`, { telemetry })).rejects.toThrow("no exporter");
    // A store that is still open would keep its clock.
    await createMemoryCache({ name, clock: new ManualClock() }).close();
  });
});
