import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load-config.ts";
import { connect } from "../../../src/connect.ts";

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
});
