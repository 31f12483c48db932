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

const DOCUMENTS = documentsIn(".", "docs").filter(({ text }) => snippetsOf(text).length > 0);

/** What has to be noticed, and how. */
const PLANTED: readonly (readonly [what: string, code: string, message: string])[] = [
  ["an option that does not exist", 'await hold.acquireLock("a", { ttl: 1_000 });', "'ttl' does not exist"],
  ["a name that is not exported", 'import { acquire } from "holdfast";', "no exported member 'acquire'"],
  ["what is no entry point", 'import { defineKey } from "holdfast/typed";', "Cannot find module 'holdfast/typed'"],
  ["a name from nowhere", "await close();", "Cannot find name 'close'"],
  ["a call that lacks an await", 'hold.withLock("a", () => {});', '"it lacks an await"'],
  ["one inside a function", "setImmediate(() => {\n  hold.close();\n});", '"it lacks an await"'],
];

let faults: string[];
beforeAll(() => {
  const planted = PLANTED.map(
    ([what, code]): Document => ({ path: `${what}.md`, text: `\`\`\`ts\n${code}\n\`\`\`\n` }),
  );
  faults = compile([...DOCUMENTS, ...planted]);
});

test.each(DOCUMENTS.map(({ path }) => path))("the snippets of %s compile", (path) => {
  expect(faultsOf(path)).toEqual([]);
});

test.each(PLANTED)("%s is noticed", (what, _code, message) => {
  expect(faultsOf(`${what}.md`)).toEqual([expect.stringContaining(message)]);
});

test("nothing else is wrong", () => {
  const known = [...DOCUMENTS.map(({ path }) => path), ...PLANTED.map(([what]) => `${what}.md`)];
  expect(faults.filter((fault) => !known.some((path) => fault.startsWith(`${path}:`)))).toEqual([]);
});

function faultsOf(path: string): string[] {
  return faults.filter((fault) => fault.startsWith(`${path}:`));
}

interface Snippet {
  /** Of the document, where it begins. */
  readonly line: number;
  readonly code: string;
}

function snippetsOf(text: string): Snippet[] {
  return [...text.matchAll(/^```(?:ts|typescript|js|javascript)\n(.*?)^```$/gms)].map(({ index, 1: code = "" }) => ({
    line: text.slice(0, index).split("\n").length + 1,
    code,
  }));
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
    // What is indented explains the line before.
    const messages = `${stdout}${stderr}`.split(/\n(?! )/).filter((message) => message !== "");
    return messages.map((message) => message.replace(/\.md\.\d+\.ts\((\d+),\d+\)/, ".md:$1"));
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
    types === undefined
      ? []
      : [[name + path.slice(1), [types.replace("./dist", `${ROOT}/src`).replace(".d.ts", ".ts")]]],
  );
  return {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: {
      paths: Object.fromEntries(sources),
      moduleDetection: "force",
      // A snippet shows how to get something, and leaves its use to the reader.
      noUnusedLocals: false,
    },
    files: [join(ROOT, "test/package/consumer/assumed.d.ts")],
    include: ["**/*.ts"],
  };
}

/** The compiler does not miss an `await`; so each call whose result is dropped is handed to a function that does. */
function withAwaitsChecked(code: string): string {
  const edits: { at: number; text: string }[] = [];
  const visitor = new Visitor({
    ExpressionStatement({ expression }) {
      if (expression.type !== "CallExpression") return;
      edits.push({ at: expression.start, text: "settled(" }, { at: expression.end, text: ")" });
    },
  });
  visitor.visit(parseSync("snippet.ts", code).program);
  return edits
    .sort((a, b) => b.at - a.at)
    .reduce((done, { at, text }) => done.slice(0, at) + text + done.slice(at), code);
}
