import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { copyServerFromImage } from "./docker-server.ts";
import { describeServer, type ServerBinary, serversInPath } from "./find-server.ts";

/** The servers on which the library is tested, and the image that has each. */
export const NAMED_SERVERS = {
  "redis 7.0": "redis:7.0-bookworm",
  "valkey 8.1": "valkey/valkey:8.1",
  "valkey 9": "valkey/valkey:9",
} as const;

export type ServerName = keyof typeof NAMED_SERVERS;

// Where it is there, this program prints the path of a Valkey of the version it is given.
const VALKEY_FINDER = resolve("../shared/servers/valkey");

/**
 * A server of a certain version: one of the paths in HOLDFAST_SERVER_PATHS, one in the PATH, or a copy out of a
 * container image. `undefined` when none of them has it.
 */
export async function findNamedServer(name: ServerName): Promise<ServerBinary | undefined> {
  const given = (process.env["HOLDFAST_SERVER_PATHS"] ?? "").split(delimiter).filter((path) => path !== "");
  const known = [...given, ...serversInPath()].map(describeServer).find((server) => isNamed(server, name));
  if (known) return known;
  const fetched = askFinder(name) ?? (await copyServerFromImage(NAMED_SERVERS[name]));
  return fetched === undefined ? undefined : describeServer(fetched);
}

function isNamed({ kind, version }: ServerBinary, name: ServerName): boolean {
  return `${kind} ${version.join(".")}.`.startsWith(`${name}.`);
}

function askFinder(name: ServerName): string | undefined {
  const [kind, version = ""] = name.split(" ");
  if (kind !== "valkey" || !existsSync(VALKEY_FINDER)) return undefined;
  return execFileSync(VALKEY_FINDER, [version], { encoding: "utf8" }).trim();
}
