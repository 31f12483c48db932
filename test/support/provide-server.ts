/**
 * Set-up of a test run: makes sure that there is a server, and says which.
 *
 * 1. HOLDFAST_SERVER, if it is set.
 * 2. redis-server or valkey-server in the PATH.
 * 3. Docker: the server is copied out of the official image.
 * 4. The system's package manager, with root or password-less sudo.
 * 5. An error. Tests that need a server are never skipped.
 */
import { copyServerFromImage } from "./docker-server.ts";
import { describeServer, searchPath } from "./find-server.ts";
import { installServer } from "./install-server.ts";

export default async function provideServer(): Promise<void> {
  const path =
    process.env["HOLDFAST_SERVER"] ||
    searchPath() ||
    (await copyServerFromImage("redis:7.2-bookworm")) ||
    installServer();
  if (!path) {
    throw new Error(
      "The tests need a Redis (7.0 or later) or Valkey server and can neither find one in the PATH nor fetch one " +
        "through Docker or a package manager. Install redis-server, or set HOLDFAST_SERVER to the path of one.",
    );
  }
  const { kind, version } = describeServer(path);
  console.log(`Server: ${kind} ${version.join(".")} (${path})`);
  // The processes in which the tests run inherit it.
  process.env["HOLDFAST_SERVER"] = path;
}
