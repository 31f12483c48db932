import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "../..");

/** The package as a user gets it: packed, and installed into a folder that has nothing else. */
export interface Packed {
  readonly tarball: string;
  /** Files in the tarball, relative to the package. */
  readonly files: readonly string[];
  /** Every entry point by the name under which a user imports it: `holdfast`, `holdfast/cache`, … */
  readonly entryPoints: readonly string[];
  /** The user's folder. */
  readonly folder: string;
  /** Where the package is installed in it. */
  readonly installed: string;
  /** Runs a program there and gives what it printed; rejects with its output when it fails. */
  run(program: string, ...args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Builds, packs and installs. Fetches the dependencies from the registry unless npm has them in its cache. */
export async function packAndInstall(): Promise<Packed> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-package-"));
  const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Manifest;
  const { tarball, files } = await pack(directory);
  const folder = join(directory, "consumer");
  await cp(join(import.meta.dirname, "consumer"), folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true }));
  await mkdir(join(folder, "node_modules"));
  await runIn(folder, "npm", [
    "install",
    "--prefer-offline",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    tarball,
    // A user of ioredis's types needs Node's.
    `@types/node@${manifest.devDependencies["@types/node"]}`,
    // A user of holdfast/telemetry needs the optional peer.
    `@opentelemetry/api@${manifest.devDependencies["@opentelemetry/api"]}`,
  ]);
  return {
    tarball,
    files,
    folder,
    installed: join(folder, "node_modules", manifest.name),
    entryPoints: Object.keys(manifest.exports)
      .filter((path) => path !== "./package.json")
      .map((path) => `${manifest.name}${path.slice(1)}`),
    run: (program, ...args) => runIn(folder, program, args),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function pack(directory: string): Promise<{ tarball: string; files: string[] }> {
  await runIn(ROOT, "npm", ["run", "--silent", "build"]);
  const args = ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", directory];
  const [packed] = JSON.parse(await runIn(ROOT, "npm", args)) as { filename: string; files: { path: string }[] }[];
  if (!packed) throw new Error("npm pack made no tarball");
  return { tarball: join(directory, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** A tool of this repository. */
export function tool(name: string): string {
  return join(ROOT, "node_modules/.bin", name);
}

async function runIn(cwd: string, program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await exec(program, args, { cwd, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  }
}
