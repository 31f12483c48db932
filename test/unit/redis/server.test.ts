import { describe, expect, it } from "vitest";
import { type Capabilities, capabilitiesOf, common, parseHello } from "../../../src/cache/redis/server.ts";

function capabilities(
  server: string,
  version: string,
): Pick<Capabilities, "getOrSet" | "replaceIfEqual" | "deleteIfEqual"> {
  const { getOrSet, replaceIfEqual, deleteIfEqual } = capabilitiesOf(
    parseHello(["server", server, "version", version]),
  );
  return { getOrSet, replaceIfEqual, deleteIfEqual };
}

describe("what a server can do", () => {
  it.each([
    ["redis", "6.2.14", false, false, undefined],
    ["redis", "7.0.15", true, false, undefined],
    ["redis", "8.2.0", true, false, undefined],
    ["redis", "8.4.0", true, true, "DELEX"],
    ["redis", "10.0.0", true, true, "DELEX"],
    ["valkey", "7.2.8", true, false, undefined],
    ["valkey", "8.0.1", true, false, undefined],
    ["valkey", "8.1.1", true, true, undefined],
    ["valkey", "9.0.0", true, true, "DELIFEQ"],
    ["dragonfly", "9.0.0", false, false, undefined],
    ["redis", "unstable", false, false, undefined],
  ] as const)("%s %s", (server, version, getOrSet, replaceIfEqual, deleteIfEqual) => {
    expect(capabilities(server, version)).toEqual({ getOrSet, replaceIfEqual, deleteIfEqual });
  });

  it("of several is what all of them can do", () => {
    const [old, recent] = ["8.1.0", "9.0.0"].map((version) =>
      capabilitiesOf(parseHello(["server", "valkey", "version", version])),
    ) as [Capabilities, Capabilities];
    expect(common([recent, old])).toMatchObject({ replaceIfEqual: true, deleteIfEqual: undefined });
    const oldest = capabilitiesOf(parseHello(["server", "valkey", "version", "7.2.0"]));
    expect(common([recent, oldest])).toMatchObject({ replaceIfEqual: false, getOrSet: true });
    expect(common([recent, recent])).toMatchObject({ replaceIfEqual: true, deleteIfEqual: "DELIFEQ" });
  });
});

describe("the answer to HELLO", () => {
  const expected = { name: "redis", version: [7, 0, 15], role: "master", mode: "standalone" };
  const fields = [
    "server",
    "redis",
    "version",
    "7.0.15",
    "proto",
    2,
    "mode",
    "standalone",
    "role",
    "master",
    "modules",
    [],
  ];

  it("is read as a list, of texts or of bytes", () => {
    expect(parseHello(fields)).toEqual(expected);
    expect(parseHello(fields.map((field) => (typeof field === "string" ? Buffer.from(field) : field)))).toEqual(
      expected,
    );
  });

  it("is read as a map", () => {
    expect(parseHello({ server: "redis", version: "7.0.15", mode: "standalone", role: "master" })).toEqual(expected);
  });

  it("says nothing when there is none", () => {
    expect(parseHello(null)).toEqual({ name: "", version: [0], role: "", mode: "" });
  });
});
