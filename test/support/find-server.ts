import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export interface ServerBinary {
  readonly kind: "redis" | "valkey";
  /** `[7, 0, 15]` */
  readonly version: readonly [number, number, number];
  readonly path: string;
}

/** Names of the program, in the order in which they are looked for in the PATH. */
const PROGRAMS = ["redis-server", "valkey-server"];

let found: ServerBinary | undefined;

/**
 * The server that the tests run against: HOLDFAST_SERVER (a path) if set, otherwise the first of redis-server and
 * valkey-server in the PATH. The set-up of the test run fetches one where there is none; see provide-server.ts.
 */
export async function findServer(): Promise<ServerBinary> {
  found ??= describeServer(process.env["HOLDFAST_SERVER"] || searchPath() || noServer());
  return found;
}

/** Asks a binary what it is. Throws when it is no Redis or Valkey server, or does not run here. */
export function describeServer(path: string): ServerBinary {
  const answer = execFileSync(path, ["--version"], { encoding: "utf8" });
  const match = /^(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)/.exec(answer);
  if (!match) throw new Error(`${path} is neither a Redis nor a Valkey server; it says: ${answer.trim()}`);
  const [, name, major, minor, patch] = match;
  return {
    kind: name === "Valkey" ? "valkey" : "redis",
    version: [Number(major), Number(minor), Number(patch)],
    path,
  };
}

/** The full path of the first server in the PATH. */
export function searchPath(): string | undefined {
  return serversInPath()[0];
}

/** The full paths of all servers in the PATH. */
export function serversInPath(): string[] {
  const directories = (process.env["PATH"] ?? "").split(delimiter).filter((directory) => directory !== "");
  return PROGRAMS.flatMap((program) => directories.map((directory) => join(directory, program))).filter(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function noServer(): never {
  throw new Error("No redis-server or valkey-server in the PATH, and HOLDFAST_SERVER does not name one.");
}
