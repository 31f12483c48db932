import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT: string = resolve(import.meta.dirname, "../..");

/** A Markdown file of this repository. */
export interface Document {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

/** The documents in these folders, but not in those inside them. */
export function documentsIn(...folders: readonly string[]): Document[] {
  const paths = folders.flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => join(folder, name)));
  return paths
    .filter((path) => path.endsWith(".md"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}
