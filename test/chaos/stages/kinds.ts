import { findServer, type ServerBinary } from "../../support/find-server.ts";
import { findNamedServer, type ServerName } from "../../support/named-server.ts";
import { startShards } from "./cluster.ts";
import { startWithSentinels } from "./sentinel.ts";
import type { Stage } from "./stage.ts";
import { startStandalone } from "./standalone.ts";

/** Stores that chaos can be wreaked on, by the name under which the command line knows them. */
export const KINDS: Readonly<Record<string, () => Promise<Stage>>> = {
  "redis-7": async () => startStandalone(await named("redis 7.0")),
  "valkey-9": async () => startStandalone(await named("valkey 9")),
  sentinel: async () => startWithSentinels(await findServer()),
  cluster: async () => startShards(await findServer()),
};

async function named(name: ServerName): Promise<ServerBinary> {
  const server = await findNamedServer(name);
  if (server === undefined) throw new Error(`There is no ${name} here; see HOLDFAST_SERVER_PATHS`);
  return server;
}
