import { readFile, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Packed, packAndInstall, tool } from "./packed.ts";

let packed: Packed;
beforeAll(async () => {
  packed = await packAndInstall();
});
afterAll(() => packed?.remove());

describe("the tarball", () => {
  test("holds the build, its sources and the documents, and nothing else", () => {
    const expected =
      /^(dist\/.+\.(js|d\.ts)(\.map)?|src\/.+\.ts|docs\/(.+\.md|grafana\/.+\.json)|bench\/(README\.md|results\/picture\.svg)|[A-Z]+\.md|LICENSE|package\.json)$/;
    expect(packed.files.filter((file) => !expected.test(file))).toEqual([]);
    expect(packed.files).toEqual(
      expect.arrayContaining(["README.md", "LICENSE", "CHANGELOG.md", "docs/guarantees.md"]),
    );
  });

  test("maps lead to sources inside it", async () => {
    const maps = packed.files.filter((file) => file.endsWith(".map"));
    expect(maps.length).toBeGreaterThan(0);
    for (const map of maps) {
      const { sources } = JSON.parse(await readFile(join(packed.installed, map), "utf8")) as { sources: string[] };
      for (const source of sources) expect(packed.files).toContain(normalize(join(dirname(map), source)));
    }
  });

  test("publint finds nothing to improve", async () => {
    const tarball = await readFile(packed.tarball);
    const { messages, pkg = {} } = await publint({
      pack: { tarball: new Uint8Array(tarball).buffer },
      level: "suggestion",
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test("are-the-types-wrong finds nothing wrong for a package of ES modules", async () => {
    await packed.run(tool("attw"), packed.tarball, "--profile", "esm-only", "--no-emoji");
  });
});

describe("every entry point", () => {
  test("is there for import and for require, as the same objects", async () => {
    const imported = JSON.parse(await packed.run("node", "exports.mjs", ...packed.entryPoints));
    const required = JSON.parse(await packed.run("node", "exports.cjs", ...packed.entryPoints));
    expect(Object.keys(imported)).toEqual(packed.entryPoints);
    for (const entry of packed.entryPoints) expect(imported[entry], entry).not.toEqual([]);
    expect(required).toEqual(imported);
  });

  test.each([
    { module: "nodenext", moduleResolution: "nodenext", type: "module" },
    { module: "nodenext", moduleResolution: "nodenext", type: "commonjs" },
    { module: "esnext", moduleResolution: "bundler", type: "module" },
  ])("can be used from TypeScript with $moduleResolution, in a package of type $type", async (consumer) => {
    const { type, ...resolution } = consumer;
    const compilerOptions = {
      ...resolution,
      target: "es2023",
      lib: ["es2024", "esnext.disposable"],
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      outDir: "out",
    };
    const write = (name: string, content: object): Promise<void> =>
      writeFile(join(packed.folder, name), JSON.stringify(content));
    await write("package.json", { name: "consumer", private: true, type });
    await write("tsconfig.json", { compilerOptions, files: ["usage.ts"] });
    await packed.run(tool("tsc"), "-p", "tsconfig.json");
    expect(await packed.run("node", "out/usage.js")).toBe("used\n");
  });

  test("is used by the program of the test above", async () => {
    const program = await readFile(join(packed.folder, "usage.ts"), "utf8");
    for (const entry of packed.entryPoints) expect(program).toContain(`from "${entry}";`);
  });
});
