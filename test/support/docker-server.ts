import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";

const CACHE = resolve("node_modules/.cache/holdfast/servers");

// The program, the libraries that it loads, and the loader: everything that it needs to run elsewhere.
const COLLECT_SCRIPT = `
  set -e
  server=$(command -v redis-server || command -v valkey-server)
  mkdir /tmp/out
  cp -L $(ldd "$server" | grep -o '/[^ ]*') /tmp/out/
  cp -L "$server" /tmp/out/server
`;

const RUN_SCRIPT = `#!/bin/sh
here=$(dirname "$0")
exec "$here"/ld-linux-*.so.* --library-path "$here" "$here/server" "$@"
`;

/**
 * Copies the server out of a container image (Debian-based: `redis:7.2-bookworm`, `valkey/valkey:9`) and returns the
 * path of a script that runs it. The tests pause, kill and restart servers and give them Unix sockets, so they need
 * a process of this machine, not one behind a mapped port. Linux only; `undefined` where no Docker answers.
 */
export async function copyServerFromImage(image: string): Promise<string | undefined> {
  const directory = join(CACHE, image.replaceAll(/[^\w.-]/g, "_"));
  const program = join(directory, "run");
  if (existsSync(program)) return program;
  if (process.platform !== "linux" || !(await dockerAnswers())) return undefined;

  console.log(`Copying the server out of the container image ${image}`);
  const { GenericContainer } = await import("testcontainers");
  const container = await new GenericContainer(image).withCommand(["sleep", "600"]).start();
  try {
    const { exitCode, output } = await container.exec(["sh", "-c", COLLECT_SCRIPT]);
    if (exitCode !== 0) throw new Error(`Cannot copy the server out of ${image}:\n${output}`);
    const unpacked = `${directory}.${process.pid}`;
    await mkdir(unpacked, { recursive: true });
    const tar = execFile("tar", ["-x", "-C", unpacked, "--strip-components=1"]);
    if (!tar.stdin) throw new Error("tar has no standard input");
    const ended = once(tar, "close");
    await pipeline(await container.copyArchiveFromContainer("/tmp/out"), tar.stdin);
    const [tarCode] = await ended;
    if (tarCode !== 0) throw new Error(`tar ended with code ${tarCode} on the files from ${image}`);
    await writeRunScript(join(unpacked, "run"));
    await rm(directory, { recursive: true, force: true });
    await rename(unpacked, directory);
    return program;
  } finally {
    await container.stop();
  }
}

async function writeRunScript(path: string): Promise<void> {
  await writeFile(path, RUN_SCRIPT);
  await chmod(path, 0o755);
}

async function dockerAnswers(): Promise<boolean> {
  try {
    const { getContainerRuntimeClient } = await import("testcontainers");
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}
