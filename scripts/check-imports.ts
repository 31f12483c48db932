/**
 * `npm run check:imports`: the direction of imports, which ARCHITECTURE.md explains. Imports of types count.
 *
 * Own code, because the checkers for this need either a compiler API, which TypeScript 7 does not have, or a newer
 * Node than we promise. The parser is oxc's.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";

const FOLDERS = ["src", "test", "scripts", "examples"];

/** Part of src → the other parts that it may import. What is not listed it may not. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  cache: ["runtime"],
  "cache/memory": ["cache", "runtime"],
  "cache/redis": ["cache", "runtime"],
  "primitives/lease": ["cache", "runtime"],
  "primitives/lock": ["primitives/lease", "cache", "runtime"],
  "primitives/idempotency": ["primitives/lease", "cache", "runtime"],
  "primitives/leader": ["primitives/lease", "cache", "runtime"],
  config: ["cache/redis", "cache"],
  typed: ["primitives/lock", "primitives/lease", "cache", "runtime"],
  manager: ["cache/memory", "cache/redis", "cache", "runtime"],
  telemetry: [
    "manager",
    "primitives/idempotency",
    "primitives/leader",
    "primitives/lock",
    "primitives/lease",
    "cache",
    "runtime",
  ],
  http: ["primitives/idempotency", "cache"],
  testing: ["cache", "runtime"],
};

/** Package → the only part of src that loads it, so that nobody else pays for it. Types cost nothing. */
const ONLY_IN: Readonly<Record<string, string>> = {
  ioredis: "cache/redis",
  "structured-headers": "http",
  "@opentelemetry/api": "telemetry",
};

/** The front door, the files directly in src: may import everything, and nothing else imports them. */
const FRONT = ".";
/** Entry points that belong to it, wherever they are: holdfast/cache shows typed keys as well. */
const ENTRY_POINTS = ["src/cache/index.ts"];

export interface Import {
  /** Paths relative to the repository; `to` is the specifier where it is no file of ours. */
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Every import and re-export of a file. */
export function readImports(from: string, source: string): Import[] {
  const { staticImports, staticExports, dynamicImports } = parseSync(from, source).module;
  const found: { specifier: string; typeOnly: boolean }[] = [];
  for (const { moduleRequest, entries } of staticImports) {
    const typeOnly = entries.length > 0 && entries.every(({ isType }) => isType);
    found.push({ specifier: moduleRequest.value, typeOnly });
  }
  for (const { moduleRequest, isType } of staticExports.flatMap(({ entries }) => entries)) {
    if (moduleRequest) found.push({ specifier: moduleRequest.value, typeOnly: isType });
  }
  for (const { moduleRequest } of dynamicImports) {
    const literal = source.slice(moduleRequest.start, moduleRequest.end);
    found.push({ specifier: literal.slice(1, -1), typeOnly: false });
  }
  return found.map(({ specifier, typeOnly }) => ({ from, to: resolve(from, specifier), typeOnly }));
}

/** What is wrong with these imports, one line each. */
export function findFaults(imports: readonly Import[]): string[] {
  return [...imports.flatMap(faultOf), ...findCircles(imports).map((circle) => `circle: ${circle.join(" → ")}`)];
}

function faultOf({ from, to, typeOnly }: Import): string[] {
  if (!from.startsWith("src/")) return [];
  const part = partOf(from);
  if (part === undefined) return [`${from}: add this part of src to MAY_IMPORT in scripts/check-imports.ts`];
  if (to.startsWith("src/")) {
    const other = partOf(to) ?? to;
    const allowed = part === FRONT || other === part || MAY_IMPORT[part]?.includes(other);
    return allowed ? [] : [`${from} → ${to}: ${part} may import ${MAY_IMPORT[part]?.join(", ") || "nothing"}`];
  }
  if (/^(test|bench|examples|scripts)\//.test(to)) return [`${from} → ${to}: src stands alone`];
  const owner = ONLY_IN[to];
  return owner === undefined || owner === part || typeOnly ? [] : [`${from} → ${to}: only ${owner} loads it`];
}

/** The innermost part of src in which a file is. */
function partOf(file: string): string | undefined {
  if (ENTRY_POINTS.includes(file)) return FRONT;
  for (let path = relative("src", dirname(file)) || FRONT; ; path = dirname(path)) {
    if (path in MAY_IMPORT) return path;
    if (path === FRONT) return dirname(file) === "src" ? FRONT : undefined;
  }
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : specifier;
}

function findCircles(imports: readonly Import[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const seenAt = path.indexOf(file);
    if (seenAt >= 0) circles.push([...path.slice(seenAt), file]);
    if (seenAt >= 0 || done.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return circles;
}

function sourcesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".ts")).map((name) => join(folder, name));
}

function main(): void {
  const files = FOLDERS.filter((folder) => existsSync(folder)).flatMap(sourcesIn);
  const faults = findFaults(files.flatMap((file) => readImports(file, readFileSync(file, "utf8"))));
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
