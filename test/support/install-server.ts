import { spawnSync } from "node:child_process";
import { searchPath } from "./find-server.ts";

/** How each package manager installs a server; the first that is there is used. */
const PACKAGE_MANAGERS: readonly { readonly program: string; readonly script: string; readonly asRoot: boolean }[] = [
  {
    program: "apt-get",
    script: "apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server",
    asRoot: true,
  },
  { program: "dnf", script: "dnf install -y valkey || dnf install -y redis", asRoot: true },
  { program: "apk", script: "apk add valkey || apk add redis", asRoot: true },
  { program: "pacman", script: "pacman -Sy --noconfirm valkey", asRoot: true },
  { program: "brew", script: "brew install redis", asRoot: false },
];

/** Installs a server with the system's package manager and returns its path; `undefined` where that is not possible. */
export function installServer(): string | undefined {
  const manager = PACKAGE_MANAGERS.find(({ program }) => succeeds("sh", ["-c", `command -v ${program}`]));
  if (!manager) return undefined;
  const prefix = manager.asRoot ? rootPrefix() : [];
  if (!prefix) return undefined;
  console.log(`No Redis or Valkey server found. Installing one: ${[...prefix, manager.script].join(" ")}`);
  const [program = "sh", ...args] = [...prefix, "sh", "-c", manager.script];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync(program, args, { stdio: ["ignore", "inherit", "inherit"], env });
  return searchPath();
}

/** What to put before a command to run it as root without being asked for a password. */
function rootPrefix(): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  return succeeds("sudo", ["-n", "true"]) ? ["sudo", "-n"] : undefined;
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}
