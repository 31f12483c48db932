/** What the documents refer to is there: files, headings, and the commands of this repository. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { documentsIn, ROOT } from "./documents.ts";

const EXAMPLES = readdirSync(join(ROOT, "examples")).map((name) => join("examples", name));
const DOCUMENTS = documentsIn(".", "docs", "bench", ...EXAMPLES);

test("links lead to files and headings that are there", () => {
  const dead = wrongMentions(/\]\(([^)\s]+)\)/g, (link, from) => !/^[a-z]+:/.test(link) && !leadsSomewhere(from, link));
  expect(dead).toEqual([]);
});

test("paths are those of files that are there", () => {
  // NAME stands for one that the reader chooses.
  const isMissing = (path: string): boolean => !path.includes("NAME") && !existsSync(join(ROOT, path));
  expect(wrongMentions(/(?<![\w./-])((?:src|test|docs|examples|scripts|bench)\/[\w./-]*\w)/g, isMissing)).toEqual([]);
});

test("npm scripts are those of the repository, or of the document's folder", () => {
  const isMissing = (name: string, from: string): boolean =>
    ![...scriptsOf("."), ...scriptsOf(dirname(from))].includes(name);
  expect(wrongMentions(/npm run ([\w:]+)/g, isMissing)).toEqual([]);
});

/** What the group of the pattern matches in the documents, where it is wrong. */
function wrongMentions(pattern: RegExp, isWrong: (found: string, from: string) => boolean): string[] {
  return DOCUMENTS.flatMap(({ path, text }) =>
    allOf(text, pattern)
      .filter((found) => isWrong(found, path))
      .map((found) => `${path}: ${found}`),
  );
}

function leadsSomewhere(from: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = join(ROOT, path === "" ? from : join(dirname(from), path));
  if (!existsSync(target)) return false;
  return anchor === undefined || anchorsOf(readFileSync(target, "utf8")).includes(anchor);
}

/** As GitHub makes them of headings. It numbers those that are there twice, which nothing here links to. */
function anchorsOf(text: string): string[] {
  const withoutFences = text.replace(/^```.*?^```$/gms, "");
  return allOf(withoutFences, /^#+ (.+)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The names of the npm scripts of a folder. */
function scriptsOf(folder: string): string[] {
  const manifest = join(ROOT, folder, "package.json");
  if (!existsSync(manifest)) return [];
  return Object.keys((JSON.parse(readFileSync(manifest, "utf8")) as { scripts?: object }).scripts ?? {});
}

/** What the group of the pattern matches in a text. */
function allOf(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, found = ""]) => found);
}
