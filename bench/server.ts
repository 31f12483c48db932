import { findServer, type ServerBinary } from "../test/support/find-server.ts";
import { findNamedServer, NAMED_SERVERS, type ServerName } from "../test/support/named-server.ts";
import { type RedisServer, startServer } from "../test/support/redis-server.ts";
import { pinServer } from "./process/pinning.ts";

/** A private server without persistence, on a core of its own. */
export async function startPinnedServer(kind: string | undefined): Promise<RedisServer> {
  const server = await startServer({ binary: await binaryOf(kind) });
  pinServer(server.pid);
  return server;
}

async function binaryOf(kind: string | undefined): Promise<ServerBinary> {
  if (kind === undefined) return findServer();
  const names = Object.keys(NAMED_SERVERS);
  if (!names.includes(kind)) throw new Error(`--server ${kind}: the kinds are ${names.join(", ")}`);
  const binary = await findNamedServer(kind as ServerName);
  if (!binary) throw new Error(`--server ${kind}: not found; HOLDFAST_SERVER_PATHS can name its path`);
  return binary;
}
