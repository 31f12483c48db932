/**
 * Every TypeScript block of the documents compiles, as a module of its own, against the public entry points and as
 * strictly as the library itself. What it takes for granted around it is in consumer/assumed.d.ts.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { beforeAll, expect, test } from "vitest";
import { type Document, documentsIn, ROOT } from "./documents.ts";
import { tool } from "./packed.ts";

const DOCUMENTS = documentsIn([".", "docs"]).filter(({ text }) => snippetsOf(text).length > 0);

/** What the check has to notice. */
const PLANTED: Document = {
  path: "planted.md",
  text: [
    ["```ts", 'await hold.withLock("a", () => {}, { ttl: 1_000 });', "```"], // no such option
    ["```ts", 'import { coordinate } from "holdfast";', "```"], // not exported
    ["```ts", 'import { defineKey } from "holdfast/typed";', "```"], // no entry point
    ["```ts", 'hold.withLock("a", () => {});', "```"], // await is missing
    ["```ts", 'await hold.withLock("a", () => { hold.close(); });', "```"], // the same, inside
    ["```ts", "await close();", "```"], // from nowhere
  ]
    .map((lines) => `${lines.join("\n")}\n`)
    .join(""),
};

let faults: string[];
beforeAll(() => {
  faults = compile([...DOCUMENTS, PLANTED]);
});

test.each(DOCUMENTS.map(({ path }) => path))("the snippets of %s compile", (path) => {
  expect(faults.filter((fault) => fault.startsWith(`${path}:`))).toEqual([]);
});

test("a wrong snippet does not, and nothing else is wrong", () => {
  const others = faults.filter((fault) => !DOCUMENTS.some(({ path }) => fault.startsWith(`${path}:`)));
  expect(others).toEqual([
    expect.stringMatching(/^planted.md:2: .*'ttl' does not exist/),
    expect.stringMatching(/^planted.md:5: .*no exported member 'coordinate'/),
    expect.stringMatching(/^planted.md:8: .*Cannot find module 'holdfast\/typed'/),
    expect.stringMatching(/^planted.md:11: .*"it lacks an await"/),
    expect.stringMatching(/^planted.md:14: .*"it lacks an await"/),
    expect.stringMatching(/^planted.md:17: .*Cannot find name 'close'/),
  ]);
});

interface Snippet {
  /** Of the document, where it begins. */
  readonly line: number;
  readonly code: string;
}

function snippetsOf(text: string): Snippet[] {
  return [...text.matchAll(/^```(?:ts|typescript|js|javascript)\b.*\n([^]*?)^```$/gm)].map(
    ({ index, 1: code = "" }) => ({ line: text.slice(0, index).split("\n").length + 1, code }),
  );
}

/** What the compiler says about the snippets, by document and line. */
function compile(documents: readonly Document[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-snippets-"));
  try {
    const write = (name: string, content: string): void => writeFileSync(join(folder, name), content);
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    write("package.json", JSON.stringify({ type: "module" }));
    write("tsconfig.json", JSON.stringify(tsconfig()));
    for (const { path, text } of documents) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      for (const { line, code } of snippetsOf(text)) {
        // In the line where it is in the document.
        write(`${path}.${line}.ts`, "\n".repeat(line - 1) + withAwaitsChecked(code));
      }
    }
    const { stdout, stderr } = spawnSync(tool("tsc"), ["-p", folder], { cwd: folder, encoding: "utf8" });
    const lines = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
    return lines.map((line) => line.replace(/\.md\.\d+\.ts\((\d+),\d+\)/, ".md:$1"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function tsconfig(): object {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    name: string;
    exports: Record<string, { types?: string }>;
  };
  const sources = Object.entries(exports).flatMap(([path, { types }]) =>
    types === undefined ? [] : [[name + path.slice(1), [types.replace("./dist", `${ROOT}/src`).replace(".d.ts", ".ts")]]],
  );
  return {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: {
      paths: Object.fromEntries(sources),
      moduleDetection: "force",
      // A snippet shows how to get something, and leaves its use to the reader.
      noUnusedLocals: false,
    },
    include: ["**/*.ts", join(ROOT, "test/package/consumer/assumed.d.ts")],
  };
}

/** The compiler does not miss an `await`; so each call whose result is dropped is handed to a function that does. */
function withAwaitsChecked(code: string): string {
  const edits: { at: number; text: string }[] = [];
  const ExpressionStatement: ConstructorParameters<typeof Visitor>[0]["ExpressionStatement"] = ({ expression }) => {
    if (expression.type !== "CallExpression") return;
    edits.push({ at: expression.start, text: "settled(" }, { at: expression.end, text: ")" });
  };
  new Visitor({ ExpressionStatement }).visit(parseSync("snippet.ts", code).program);
  return edits.sort((a, b) => b.at - a.at).reduce((done, { at, text }) => done.slice(0, at) + text + done.slice(at), code);
}
